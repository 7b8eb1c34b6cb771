// The twin of OneIteration in course/explore/backprop.py.

const X = [1, 0.1], Y = 0.5, W0 = [[1, 0.2], [-3, 1]], W1 = [1, -1];

function oneIteration(lr, bug) {
  const two = (f) => [f(0), f(1)];
  const z = two((j) => X[0] * W0[0][j] + X[1] * W0[1][j]);
  const h = z.map(Math.tanh);
  const y_hat = h[0] * W1[0] + h[1] * W1[1];
  const dy_hat = y_hat - Y;

  const factor = bug === "wrong factor" ? dy_hat * W1[0] * (1 - h[0] ** 2) : dy_hat;
  const dW1 = h.map((v) => v * factor);
  const dh = two((j) => dy_hat * (bug === "sequential update" ? W1[j] - lr * dW1[j] : W1[j]));
  const inside = bug === "derivative at the output" ? h : z;
  const dz = two((j) => dh[j] * (1 - Math.tanh(inside[j]) ** 2));
  const dW0 = X.map((x) => dz.map((d) => x * d));

  const step = bug === "plus sign" ? lr : -lr;
  const W0_new = two((i) => two((j) => W0[i][j] + step * (bug === "no transpose" ? dW0[j][i] : dW0[i][j])));
  const W1_new = two((j) => W1[j] + step * dW1[j]);
  const y_hat_new = two((j) => W1_new[j] * Math.tanh(X[0] * W0_new[0][j] + X[1] * W0_new[1][j]))
    .reduce((a, b) => a + b);
  return {
    z, h, y_hat, loss: 0.5 * dy_hat ** 2, dy_hat, dW1, dh, dz, dW0, W0_new, W1_new, y_hat_new,
    loss_new: 0.5 * (y_hat_new - Y) ** 2,
  };
}

const STEPS = [
  ["z", "x W₀", "z", {}],
  ["h", "tanh z", "h", {}],
  ["ŷ", "h W₁", "y_hat", {}],
  ["ℓ", "½(ŷ − y)²", "loss", {}],
  ["dŷ", "ŷ − y", "dy_hat", {}],
  ["dW₁", "h dŷ", "dW1", { "wrong factor": "h dz₁" }],
  ["dh", "dŷ W₁", "dh", { "sequential update": "dŷ (new W₁)" }],
  ["dz", "dh (1 − tanh² z)", "dz", { "derivative at the output": "dh (1 − tanh² h)" }],
  ["dW₀", "x dz, outer", "dW0", {}],
  ["new W₁", "W₁ − η dW₁", "W1_new", { "plus sign": "W₁ + η dW₁" }],
  ["new W₀", "W₀ − η dW₀", "W0_new", { "plus sign": "W₀ + η dW₀", "no transpose": "W₀ − η dW₀ transposed" }],
  ["new ℓ", "½(new ŷ − y)²", "loss_new", {}],
];
const RATES = linspace(0, 1, 51);

function written(value) {
  if (typeof value === "number") return number(value, 6);
  const rows = Array.isArray(value[0]) ? value : [value];
  return rows.map((row) => `(${row.map((v) => number(v, 6)).join(", ")})`).join("; ");
}

function net({ z, h, y_hat, loss, dy_hat, dW1, dh, dz, dW0, W0_new, W1_new }, step) {
  // name, place, label, value, the step it comes in, gradient, the step that comes in
  const places = [
    ["x1", 0, 3, "x₁", X[0], 0, null, 99],
    ["x2", 0, 0, "x₂", X[1], 0, null, 99],
    ["z1", 1.5, 2.2, "z₁", z[0], 1, dz[0], 8],
    ["z2", 1.5, 0.8, "z₂", z[1], 1, dz[1], 8],
    ["h1", 2.5, 2.2, "h₁", h[0], 2, dh[0], 7],
    ["h2", 2.5, 0.8, "h₂", h[1], 2, dh[1], 7],
    ["y", 3.9, 1.5, "ŷ", y_hat, 3, dy_hat, 5],
    ["l", 5, 1.5, "ℓ", loss, 4, 1, 5],
  ];
  const nodes = places.map(([name, x, y, label, value, there, gradient, back]) => ({
    name, x, y, label, role: "ink",
    ...(step >= there && { value: number(value) }),
    ...(gradient !== null && step >= back && { gradient: number(gradient) }),
    state: step && (step === there || step === back) ? "current" : step >= there ? "done" : "waiting",
  }));
  const there = Object.fromEntries(places.map((row) => [row[0], row[5]]));

  const link = (source, target, steps, backward, label) => ({
    source, target,
    ...(label !== null && { label }),
    state: [there[target], ...steps].includes(step) ? "current" : step < there[target] ? "waiting" : "done",
    ...(backward && { backward }),
  });
  const weight = (old, fresh, gradient, found, moved) =>
    number(step < found ? old : step < moved ? gradient : fresh);

  const edges = [];
  for (const i of [0, 1]) for (const j of [0, 1]) {
    const label = weight(W0[i][j], W0_new[i][j], dW0[i][j], 9, 11);
    edges.push(link(`x${i + 1}`, `z${j + 1}`, [9, 11], step >= 9 && step < 11, label));
  }
  for (const j of [0, 1]) {
    edges.push(link(`z${j + 1}`, `h${j + 1}`, [8], step >= 8, null));
    const label = weight(W1[j], W1_new[j], dW1[j], 6, 10);
    edges.push(link(`h${j + 1}`, "y", [6, 7, 10], step >= 6 && step < 10, label));
  }
  edges.push(link("y", "l", [5], step >= 5, null));
  return { mark: "graph", nodes, edges };
}

function lossAgainstRate(lr, bug) {
  const losses = (which) => RATES.map((rate) => oneIteration(rate, which).loss_new);
  const now = (which) => [oneIteration(lr, which).loss_new];
  const marks = [
    { mark: "rule", y: oneIteration(0, "none").loss, role: "muted", label: "before the step", dash: true },
    { mark: "curve", x: RATES, y: losses("none"), role: "loss" },
    { mark: "points", x: [lr], y: now("none"), role: "loss", label: "correct" },
  ];
  if (bug !== "none") {
    marks.push({ mark: "curve", x: RATES, y: losses(bug), role: "negative", dash: true });
    marks.push({ mark: "points", x: [lr], y: now(bug), role: "negative", label: bug });
  }
  return marks;
}

function inWords(lr, bug, step, right, wrong) {
  if (step === 0) return "The net before the iteration. Step on to compute z.";
  if (step < STEPS.length) {
    const [name, formula, key, bugs] = STEPS[step - 1];
    return `Step ${step}: ${name} = ${bugs[bug] ?? formula} = ${written(wrong[key])}.`;
  }
  const text = `With η = ${number(lr)} the loss goes from ${number(right.loss, 6)} to ${number(right.loss_new, 6)}.`;
  if (bug === "none") return text;
  const verdict = wrong.loss_new < wrong.loss ? "It still falls." : "It does not fall.";
  return `${text} With the bug “${bug}” it goes to ${number(wrong.loss_new, 6)}. ${verdict}`;
}

// Spaces at which a table cell is not broken, except between rows.
const together = (text) => text.replaceAll(" ", "\u00a0").replaceAll(";\u00a0", "; ");

export function scene({ lr, bug, step }) {
  const right = oneIteration(lr, "none"), wrong = oneIteration(lr, bug);
  const columns = ["", "formula", "correct", ...(bug === "none" ? [] : ["with the bug"])];
  const rows = STEPS.slice(0, step).map(([name, formula, key, bugs]) => {
    const correct = written(right[key]), shown = written(wrong[key]);
    if (bug === "none") return [name, formula, correct];
    return [name, bugs[bug] ?? formula, correct, shown === correct ? "the same" : shown];
  });
  if (!rows.length) rows.push(["x, y", "given", `${written(X)}, ${number(Y)}`, ""].slice(0, columns.length));
  return {
    panels: [
      { marks: [net(wrong, step)], title: `The net, step ${step} of ${STEPS.length}`, height: 340, weight: 2.6 },
      {
        marks: lossAgainstRate(lr, bug), height: 340,
        x: { label: "learning rate η", limits: [0, 1] }, y: { label: "loss after the step", limits: [0, 0.04] },
      },
      { marks: [{ mark: "table", columns, rows: rows.map((row) => row.map(together)), highlight: [rows.length - 1] }], weight: 3, height: 40 + 34 * rows.length },
    ],
    words: inWords(lr, bug, step, right, wrong),
  };
}
