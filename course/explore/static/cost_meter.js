// The twin of CostMeter in course/explore/backprop.py.

const MOST_LAYERS = 12;
const WIDTHS = Array.from({ length: 32 }, (_, i) => 16 * (i + 1));

function layerSizes(hidden, width, inputs, outputs, halve) {
  const widths = Array.from({ length: hidden }, (_, k) => (halve ? Math.max(1, Math.floor(width / 2 ** k)) : width));
  return [inputs, ...widths, outputs];
}

// Multiplications by weights, per sample: forward, and backward.
function multiplyCount(sizes, inputGrad) {
  const weights = sizes.slice(1).map((size, i) => size * sizes[i]);
  const forward = weights.reduce((a, b) => a + b, 0);
  return [forward, 2 * forward - (inputGrad ? 0 : weights[0])];
}

export function scene({ hidden, width, inputs, outputs, halve, input_grad }) {
  const sizesOf = (h, w) => layerSizes(h, w, inputs, outputs, halve);
  const count = (h, w) => multiplyCount(sizesOf(h, w), input_grad);
  const [forward, backward] = count(hidden, width);
  const depths = linspace(1, MOST_LAYERS, MOST_LAYERS);
  const byDepth = depths.map((depth) => count(depth, width));
  const byWidth = WIDTHS.map((each) => count(hidden, each));
  const shape = sizesOf(hidden, width).join("-");

  const counts = (x, here, counted) => [
    { mark: "curve", x, y: counted.map((c) => c[1]), role: "backward", label: "backward" },
    { mark: "curve", x, y: counted.map((c) => c[0]), role: "forward", label: "forward" },
    { mark: "points", x: [here], y: [backward], role: "backward" },
    { mark: "points", x: [here], y: [forward], role: "forward" },
  ];
  const each = (counted) => ({ label: "multiplications per sample", limits: [0, 1.1 * Math.max(...counted.flat())] });
  const deep = { label: "hidden layers", limits: [0, MOST_LAYERS + 1] };
  const ratio = number(backward / forward, 6);
  return {
    panels: [
      { marks: counts(depths, hidden, byDepth), x: deep, y: each(byDepth) },
      { marks: counts(WIDTHS, width, byWidth), x: { label: "units in a hidden layer", limits: [0, 520] }, y: each(byWidth) },
      {
        marks: [
          { mark: "rule", y: 2, role: "muted", label: "two forward passes", dash: true },
          { mark: "curve", x: depths, y: byDepth.map(([f, b]) => b / f), role: "backward" },
          { mark: "points", x: [hidden], y: [backward / forward], role: "backward", label: ratio },
        ],
        x: deep, y: { label: "backward / forward", limits: [1, 2.2] },
      },
      {
        marks: [{
          mark: "table",
          columns: ["pass", "computes", "multiplications per sample"],
          rows: [
            ["forward", "X W", String(forward)],
            ["backward", "Xᵀ dZ, for the weights", String(forward)],
            ["backward", "dZ Wᵀ, for the layer below", String(backward - forward)],
            ["backward / forward", "", ratio],
          ],
          highlight: [3],
        }],
        title: shape, weight: 3, height: 210,
      },
    ],
    words: `The net ${shape} takes ${forward} multiplications forward and ${backward} backward: ${ratio} times as many.`,
  };
}
