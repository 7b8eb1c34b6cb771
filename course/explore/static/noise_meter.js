// The twin of course.explore.stochastic_gradient.NoiseMeter.scene: it picks from what Python drew.
export function scene({ batch_size, place }, data) {
  const i = data.places.indexOf(place), k = data.sizes.indexOf(batch_size);
  const centre = data.centre[i], share = data.share[i][k], truth = data.truth[i], single = data.single[i];
  const width = centre[1] - centre[0], spread = data.spread[i][k];
  const sizes = [...data.sizes];
  const exact = sizes.map((size) => (single / Math.sqrt(size)) * Math.sqrt((64 - size) / 63));
  return {
    panels: [
      {
        x: { label: "batch gradient along the full gradient", limits: [centre[0] - width / 2, centre.at(-1) + width / 2] },
        y: { label: "share of 4000 batches", limits: [0, 1.1 * Math.max(...share)] }, weight: 1.4,
        marks: [
          { mark: "bars", x: centre, height: share, width, role: Array.from(centre, (c) => (c < 0 ? "negative" : "positive")) },
          { mark: "rule", x: 0, role: "muted", label: "downhill →" },
          { mark: "rule", x: truth, role: "target", label: "all 64 samples", dash: false },
        ],
      },
      {
        x: { label: "batch size B", limits: [0.8, 80], log: true, ticks: data.sizes },
        y: { label: "spread", limits: [0, 1.1 * single] },
        marks: [
          { mark: "curve", x: sizes, y: exact, role: "gradient", width: 2 },
          { mark: "points", x: sizes, y: data.spread[i], role: "gradient", size: 7 },
          { mark: "points", x: [batch_size], y: [spread], role: "path", size: 13 },
        ],
      },
    ],
    words: `Batches of ${batch_size}, ${place}: full gradient ${number(truth, 3)},`
      + ` spread ${number(spread > 1e-12 ? spread : 0, 3)},`
      + ` ${number(100 * data.uphill[i][k], 3)} % of the batches point uphill.`,
  };
}
