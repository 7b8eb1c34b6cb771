// The twin of course.explore.gradient_descent.MovingLine.scene.
export function scene({ lr, steps }, { x, y, best, hessian, rings }) {
  // On a quadratic loss the gradient is the Hessian times the way from the minimum.
  let [w, b] = [3, 1.5];
  const ws = [w], bs = [b];
  for (let k = 0; k < steps && Math.abs(w) <= 100 && Math.abs(b) <= 100; k += 1) {
    const [dw, db] = [w - best[0], b - best[1]];
    w -= lr * (hessian[0][0] * dw + hessian[0][1] * db);
    b -= lr * (hessian[1][0] * dw + hessian[1][1] * db);
    ws.push(w);
    bs.push(b);
  }
  const [dw, db] = [w - best[0], b - best[1]];
  const height = (dw * (hessian[0][0] * dw + hessian[0][1] * db) + db * (hessian[1][0] * dw + hessian[1][1] * db)) / 2;
  const across = [0, 2];
  return {
    panels: [
      {
        x: { label: "weight w", limits: [-1.5, 3.5] }, y: { label: "bias b", limits: [-2.5, 2.5] }, height: 380,
        marks: [
          { mark: "curve", x: rings.map((p) => p[0]), y: rings.map((p) => p[1]), role: "muted", width: 1 },
          { mark: "points", x: [best[0]], y: [best[1]], role: "loss", label: "minimum", size: 11 },
          { mark: "curve", x: ws, y: bs, role: "path", width: 2, dots: true },
          { mark: "points", x: [w], y: [b], role: "model", size: 13 },
        ],
      },
      {
        x: { label: "x", limits: [0, 2] }, y: { label: "y", limits: [-2.5, 3] }, height: 380,
        marks: [
          { mark: "points", x, y, role: "data", size: 7 },
          { mark: "curve", x: across, y: across.map((v) => best[0] * v + best[1]), role: "loss", dash: true, width: 2 },
          { mark: "curve", x: across, y: across.map((v) => w * v + b), role: "model" },
        ],
      },
    ],
    words: `Step ${ws.length - 1}: line ŷ = ${number(w)} x ${b < 0 ? "−" : "+"} ${number(Math.abs(b))}, ${number(height)} above the smallest loss.`,
  };
}
