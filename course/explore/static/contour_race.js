// The twin of course.explore.stochastic_gradient.ContourRace.scene.
const FAR = 100, N = 64, EPOCHS = 40;

// Samples seen after k updates; the last batch of an epoch may be small.
function samplesSeen(size, k) {
  const perEpoch = Math.ceil(N / size);
  return Math.floor(k / perEpoch) * N + (k % perEpoch) * size;
}

// Stochastic gradient descent on half the mean squared error of ŷ = w x + b.
function run(size, lr, updates, { x, y, order }) {
  let w = -1, b = 2;
  const ws = [w], bs = [b], perEpoch = Math.ceil(N / size);
  for (let k = 0; k < updates && Math.abs(w) <= FAR && Math.abs(b) <= FAR; k += 1) {
    const epoch = order[Math.floor(k / perEpoch)], from = (k % perEpoch) * size, to = Math.min(from + size, N);
    let dw = 0, db = 0;
    for (let j = from; j < to; j += 1) {
      const residual = w * x[epoch[j]] + b - y[epoch[j]];
      dw += residual * x[epoch[j]];
      db += residual;
    }
    w -= (lr * dw) / (to - from);
    b -= (lr * db) / (to - from);
    ws.push(w);
    bs.push(b);
  }
  return { ws, bs };
}

export function scene({ lr, steps, batch_size, count }, data) {
  const { best, hessian, rings } = data;
  const seen = samplesSeen(batch_size, steps), byUpdates = count === "updates";
  const paths = [], curves = [], told = [];
  for (const [label, role, size] of [["all 64", "ink", N], ["minibatch", "path", batch_size], ["single", "gradient", 1]]) {
    let updates = steps;
    if (!byUpdates) for (updates = 0; samplesSeen(size, updates + 1) <= seen; updates += 1);
    const { ws, bs } = run(size, lr, updates, data), k = ws.length - 1;
    const heights = ws.map((w, i) => {
      const [dw, db] = [w - best[0], bs[i] - best[1]];
      return (dw * (hessian[0][0] * dw + hessian[0][1] * db) + db * (hessian[1][0] * dw + hessian[1][1] * db)) / 2;
    });
    const across = ws.map((_, i) => (byUpdates ? i : samplesSeen(size, i)));
    paths.unshift({ mark: "curve", x: ws, y: bs, role, width: 2, dots: role !== "gradient" });
    curves.unshift({ mark: "curve", x: across, y: heights.map((h) => Math.max(h, 1e-6)), role, width: 2, label });
    const lost = Math.abs(ws[k]) > FAR || Math.abs(bs[k]) > FAR;
    const fate = lost ? `diverged at update ${k}` : `${number(heights[k], 3)} above the minimum`;
    told.push(`${label}: ${fate} (${k} updates, ${samplesSeen(size, k)} samples)`);
  }
  return {
    panels: [
      {
        x: { label: "weight w", limits: [-1.5, 3.5] }, y: { label: "bias b", limits: [-2.5, 2.5] }, height: 380,
        marks: [
          { mark: "curve", x: rings.map((p) => p[0]), y: rings.map((p) => p[1]), role: "muted", width: 1 },
          { mark: "points", x: [best[0]], y: [best[1]], role: "loss", label: "minimum", size: 11 },
          ...paths,
        ],
      },
      {
        x: { label: byUpdates ? "updates" : "samples seen", limits: [0, byUpdates ? EPOCHS : Math.max(N, seen)] },
        y: { label: "loss above the minimum", limits: [1e-4, 10], log: true }, height: 380, marks: curves,
      },
    ],
    words: `${told.join("; ")}.`,
  };
}
