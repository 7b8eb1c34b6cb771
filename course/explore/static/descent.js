// The twin of course.explore.gradient_descent.Descent.scene.
const FAR = 100;
const CURVES = {
  "two valleys": {
    J: (t) => (t * t * t * t) / 4 - t * t + 0.3 * t,
    dJ: (t) => t * t * t - 2 * t + 0.3,
    minima: [["global minimum", -1.483967893197726], ["local minimum", 1.3322207371911867]],
  },
  parabola: { J: (t) => t * t, dJ: (t) => 2 * t, minima: [["minimum", 0]] },
};

function verdict({ J, dJ, minima }, path, lr) {
  const here = path.at(-1), before = path.at(-2);
  if (Math.abs(here) > FAR) return `Diverged at step ${path.length - 1}: each step lands farther away than the last.`;
  if (Math.abs(dJ(here)) < 1e-3) {
    const near = minima.find(([, at]) => Math.abs(at - here) < 0.01);
    return near ? `Settled in the ${near[0]}.` : "Almost at rest on the hilltop, where the slope is nearly zero.";
  }
  if (path.length > 1 && J(here) > J(before)) return "The last step went uphill: the rate is too large here.";
  if (path.length > 1 && dJ(here) * dJ(before) < 0) return "The last step jumped across to the other side.";
  return `Going down: the next step leads to θ = ${number(here - lr * dJ(here), 6)}.`;
}

export function scene({ lr, steps, start, loss }) {
  const { J, dJ, minima } = CURVES[loss];
  const path = [start];
  while (path.length <= steps && Math.abs(path.at(-1)) <= FAR) path.push(path.at(-1) - lr * dJ(path.at(-1)));
  const losses = path.map(J), here = path.at(-1), height = losses.at(-1), k = path.length - 1;
  const grid = linspace(-3.2, 3.2, 129);
  const marks = [
    { mark: "curve", x: grid, y: grid.map(J), role: "loss", label: "loss J" },
    { mark: "curve", x: path, y: losses, role: "path", width: 2, dots: true },
  ];
  if (Math.abs(here) <= FAR) {
    const bowl = grid.map((t) => height + (t - here) * dJ(here) + (t - here) ** 2 / (2 * lr));
    const lowest = height - (lr * dJ(here) ** 2) / 2;
    marks.push(
      { mark: "curve", x: grid, y: bowl, role: "gradient", dash: true, width: 2 },
      { mark: "points", x: [here - lr * dJ(here)], y: [lowest], role: "gradient", label: "next", size: 13, shape: "ring" },
      { mark: "points", x: [here], y: [height], role: "path", label: `step ${k}`, size: 13 },
    );
  }
  const floors = minima.map(([label, at]) => ({ mark: "rule", y: J(at), role: "muted", label }));
  const lossAxis = { label: "loss", limits: [-2, 10] };
  return {
    panels: [
      { x: { label: "parameter θ", limits: [-3.2, 3.2] }, y: lossAxis, height: 400, weight: 1.4, marks },
      {
        x: { label: "step", limits: [-1, 51] }, y: lossAxis, height: 400,
        marks: [...floors, { mark: "curve", x: path.map((_, i) => i), y: losses, role: "loss", width: 2, dots: true }],
      },
    ],
    words: `Step ${k}: θ = ${number(here, 6)}, loss ${number(height, 6)}. ${verdict(CURVES[loss], path, lr)}`,
  };
}
