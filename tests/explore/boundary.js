export function scene({ w1, w2, scale, kind, step, grid }, { X }) {
  const g = linspace(-4, 4, 41);
  const output = {
    sigmoid: (z) => 1 / (1 + Math.exp(-z)),
    step: (z) => (z >= 0 ? 1 : 0),
    linear: (z) => z,
  }[kind];
  const half = X.length / 2;
  const column = (rows, i) => rows.map((row) => row[i]);
  const [zeros, ones] = [X.slice(0, half), X.slice(half)];
  const surface = {
    mark: "heat", values: g.map((b) => g.map((a) => output(scale * (w1 * a + w2 * b)))),
    extent: [-4, 4, -4, 4], scale: "diverging", limits: [0, 1],
  };
  const hit = X.filter(([a, b]) => w1 * a + w2 * b >= 0).length;
  return {
    panels: [
      {
        title: "Plane", height: 420, equal: true,
        x: { label: "x₁", limits: [-4, 4] }, y: { label: "x₂", limits: [-4, 4] },
        marks: [
          ...(grid ? [surface] : []),
          { mark: "points", x: column(zeros, 0), y: column(zeros, 1), role: "negative", label: "class 0" },
          { mark: "points", x: column(ones, 0), y: column(ones, 1), role: "positive", label: "class 1" },
          { mark: "arrow", start: [0, 0], end: [w1, w2], role: "model", label: "w" },
        ],
      },
      {
        x: { label: "pre-activation z", limits: [-4, 4] }, y: { label: "output h", limits: [-1, 2] },
        marks: [
          { mark: "curve", x: g, y: g.map((z) => output(scale * z)), role: "model", label: kind },
          { mark: "rule", x: 0.2 * step, role: "muted", label: "step", dash: true },
        ],
      },
    ],
    words: `Weights ${number(w1)} and ${number(w2)}: ${hit} of ${X.length} points on the side of 1.`,
  };
}
