export function scene({ w1, w2, b }, { X, labels }) {
  const grid = linspace(-4, 4, 100);
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const column = (k, c) => Array.from(X).filter((_, i) => labels[i] === c).map((row) => row[k]);
  let right = 0;
  X.forEach(([x1, x2], i) => { right += (w1 * x1 + w2 * x2 + b >= 0) === (labels[i] === 1); });
  return {
    panels: [{
      height: 400, equal: true,
      x: { label: "x₁", limits: [-4, 4] }, y: { label: "x₂", limits: [-4, 4] },
      marks: [
        {
          mark: "heat", values: grid.map((x2) => grid.map((x1) => sigmoid(w1 * x1 + w2 * x2 + b))),
          extent: [-4, 4, -4, 4], scale: "diverging", limits: [0, 1], opacity: 0.6,
        },
        { mark: "points", x: column(0, 0), y: column(1, 0), role: "negative", size: 7 },
        { mark: "points", x: column(0, 1), y: column(1, 1), role: "positive", size: 7 },
      ],
    }],
    words: `${right} of ${X.length} points lie on their side of the boundary.`,
  };
}
