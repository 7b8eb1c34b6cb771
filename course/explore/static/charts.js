// The marks: each draws its dictionary (course/explore/marks.py) into a group of a panel.

const isShown = (value) => Number.isFinite(value);

function linePath(xs, ys, at) {
  let d = "", drawing = false;
  for (let i = 0; i < xs.length; i += 1) {
    if (!isShown(xs[i]) || !isShown(ys[i])) { drawing = false; continue; }
    d += `${drawing ? "L" : "M"}${at.x(xs[i])} ${at.y(ys[i])}`;
    drawing = true;
  }
  return d;
}

// Points as one path of dots: quick, whatever their number.
function dotPath(xs, ys, at) {
  let d = "";
  for (let i = 0; i < xs.length; i += 1) {
    if (isShown(xs[i]) && isShown(ys[i])) d += `M${at.x(xs[i])} ${at.y(ys[i])}h0`;
  }
  return d;
}

function dots(g, d, size, role, shape) {
  const cap = shape === "square" ? "square" : "round";
  const path = (width, stroke) => put(g, "path", {
    d, fill: "none", stroke, "stroke-width": width, "stroke-linecap": cap,
  });
  path(size + 3, inColour("background"));
  path(size, inColour(role));
  if (shape === "ring") path(size - 5, inColour("background"));
}

function drawArrow(g, x1, y1, x2, y2, role, { width = 3, dash = null, state = null } = {}) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < 0.5) return;
  const head = Math.min(12, length * 0.6), ux = (x2 - x1) / length, uy = (y2 - y1) / length;
  const bx = x2 - head * ux, by = y2 - head * uy, w = head * 0.45;
  const stroke = inColour(role);
  put(g, "path", { d: `M${px(x1)} ${px(y1)}L${px(bx)} ${px(by)}`, stroke, "stroke-width": width, "stroke-dasharray": dash, class: state });
  put(g, "path", {
    d: `M${px(x2)} ${px(y2)}L${px(bx - w * uy)} ${px(by + w * ux)}L${px(bx + w * uy)} ${px(by - w * ux)}Z`,
    fill: stroke, class: state,
  });
}

const MARKS = {
  curve(g, m, at, labels) {
    const d = linePath(m.x, m.y, at);
    put(g, "path", {
      d, fill: "none", stroke: inColour(m.role), "stroke-width": m.width ?? 3,
      "stroke-dasharray": m.dash ? "8 6" : null, "stroke-linejoin": "round",
    });
    if (m.dots) dots(g, dotPath(m.x, m.y, at), 8, m.role, "circle");
    if (!m.label) return;
    // The label stands at the last point that can be seen.
    for (let i = m.x.length - 1; i >= 0; i -= 1) {
      const [x, y] = [at.x(m.x[i]), at.y(m.y[i])];
      const inside = isShown(m.y[i]) && x >= at.left - 1 && x <= at.right + 1 && y >= at.top - 1 && y <= at.bottom + 1;
      if (inside) { labels.push({ x: x + 8, y: y + 5, text: m.label, role: m.role, anchor: "start" }); return; }
    }
  },

  points(g, m, at, labels) {
    dots(g, dotPath(m.x, m.y, at), m.size ?? 9, m.role, m.shape ?? "circle");
    const n = m.x.length;
    if (m.label && n) labels.push(beside(at.x(m.x[n - 1]), at.y(m.y[n - 1]), m.label, m.role, at));
    (m.labels ?? []).forEach((text, i) => {
      if (text && isShown(m.x[i])) labels.push(beside(at.x(m.x[i]), at.y(m.y[i]), text, m.role, at));
    });
  },

  arrow(g, m, at, labels) {
    const [x1, y1, x2, y2] = [at.x(m.start[0]), at.y(m.start[1]), at.x(m.end[0]), at.y(m.end[1])];
    drawArrow(g, x1, y1, x2, y2, m.role);
    if (m.label) labels.push(beside((x1 + x2) / 2, (y1 + y2) / 2, m.label, m.role, at));
  },

  rule(g, m, at, labels) {
    const upright = m.x !== undefined;
    const [x1, y1, x2, y2] = upright
      ? [at.x(m.x), at.top, at.x(m.x), at.bottom]
      : [at.left, at.y(m.y), at.right, at.y(m.y)];
    put(g, "line", { x1, y1, x2, y2, stroke: inColour(m.role), "stroke-width": 2, "stroke-dasharray": m.dash === false ? null : "8 6" });
    if (!m.label) return;
    if (upright) labels.push(beside(x1, at.top + 18, m.label, m.role, at));
    else labels.push({ x: at.right - 4, y: y1 - 9, text: m.label, role: m.role, anchor: "end" });
  },

  band(g, m, at) {
    const n = m.x.length;
    const back = Array.from({ length: n }, (_, i) => `L${at.x(m.x[n - 1 - i])} ${at.y(m.high[n - 1 - i])}`);
    put(g, "path", { d: n ? `${linePath(m.x, m.low, at)}${back.join("")}Z` : "", fill: inColour(m.role), "fill-opacity": 0.2 });
  },

  bars(g, m, at, labels) {
    const zero = at.y(at.y.log ? at.y.low : 0);
    for (let i = 0; i < m.x.length; i += 1) {
      const x = at.x(m.x[i] - m.width / 2), y = at.y(m.height[i]);
      const role = Array.isArray(m.role) ? m.role[i] : m.role;
      put(g, "rect", {
        x, y: Math.min(y, zero), width: px(Math.max(1, at.x(m.x[i] + m.width / 2) - x - 1)),
        height: px(Math.abs(zero - y)), fill: inColour(role), "fill-opacity": 0.85,
      });
      const text = m.labels?.[i];
      if (text) labels.push({ x: at.x(m.x[i]), y: y < zero || m.height[i] >= 0 ? y - 6 : y + 18, text, role, anchor: "middle", fixed: true });
    }
  },

  boxes(g, m, at) {
    for (let i = 0; i < m.x.length; i += 1) {
      const role = Array.isArray(m.role) ? m.role[i] : m.role;
      const x = at.x(m.x[i]), y = at.y(m.y[i] + m.height[i]);
      const width = px(at.x(m.x[i] + m.width[i]) - x), height = px(at.y(m.y[i]) - y);
      put(g, "rect", { x, y, width, height, fill: inColour(role), "fill-opacity": 0.15, stroke: inColour(role), "stroke-width": 2 });
      if (m.labels?.[i]) writing(g, x + width / 2, y + height / 2 + 6, m.labels[i], { anchor: "middle", role });
    }
  },

  text(g, m, at) {
    const { role = "ink", anchor = "middle", size = 16 } = m;
    writing(g, at.x(m.x), at.y(m.y) + size / 3, m.text, { role, anchor, size });
  },

  contours(g, m, at) {
    const path = contourPaths(m);
    const [x0, x1, y0, y1] = m.extent;
    // Unit square to plot: the paths themselves are computed once for each array.
    const move = `matrix(${at.x(x1) - at.x(x0)} 0 0 ${at.y(y1) - at.y(y0)} ${at.x(x0)} ${at.y(y0)})`;
    put(g, "path", {
      d: path, transform: move, fill: "none", stroke: inColour(m.role), "stroke-width": m.width ?? 1.5,
      "vector-effect": "non-scaling-stroke",
    });
  },

  graph(g, m, at, labels) { drawGraph(g, m, at, labels); },
};

// A label beside a point, on the side where there is room.
function beside(x, y, text, role, at) {
  const fits = x + 12 + textWidth(text) < at.width;
  return { x: fits ? x + 10 : x - 10, y: y - 8, text, role, anchor: fits ? "start" : "end" };
}

// Direct labels, moved apart where they would lie on each other.
function drawLabels(svg, labels, at) {
  const placed = [];
  for (const label of [...labels].sort((a, b) => a.y - b.y)) {
    const width = textWidth(label.text);
    const left = label.anchor === "start" ? label.x : label.anchor === "end" ? label.x - width : label.x - width / 2;
    let y = Math.min(Math.max(label.y, at.top + 12), at.bottom - 4);
    let step = 18.5; // down, as they come from top to bottom; up from the bottom edge
    for (let tries = 0; !label.fixed && tries < 6; tries += 1) {
      const other = placed.find((p) => left < p.left + p.width && p.left < left + width && Math.abs(p.y - y) < 18);
      if (!other) break;
      y = other.y + step;
      if (y > at.bottom - 4) { step = -18.5; y = other.y + step; }
    }
    placed.push({ left, width, y });
    if (Math.abs(label.x) < 9e4) writing(svg, label.x, y, label.text, { role: label.role, anchor: label.anchor });
  }
}

// Marching squares over the unit square; remembered for as long as the array lives.
const knownContours = new WeakMap();
function contourPaths({ values, levels }) {
  const key = [...levels].join();
  const known = knownContours.get(values);
  if (known?.key === key) return known.path;
  const rows = values.length, columns = values[0].length;
  let path = "";
  const fine = (v) => Math.round(v * 1e5) / 1e5;
  for (const level of levels) {
    for (let j = 0; j + 1 < rows; j += 1) {
      for (let i = 0; i + 1 < columns; i += 1) {
        const a = values[j][i], b = values[j][i + 1], c = values[j + 1][i + 1], d = values[j + 1][i];
        const cuts = [];
        const cut = (p, q, x1, y1, x2, y2) => {
          if (p >= level === q >= level) return;
          const t = (level - p) / (q - p);
          cuts.push([fine((x1 + t * (x2 - x1)) / (columns - 1)), fine((y1 + t * (y2 - y1)) / (rows - 1))]);
        };
        cut(a, b, i, j, i + 1, j);
        cut(b, c, i + 1, j, i + 1, j + 1);
        cut(c, d, i + 1, j + 1, i, j + 1);
        cut(d, a, i, j + 1, i, j);
        for (let k = 0; k + 1 < cuts.length; k += 2) path += `M${cuts[k][0]} ${cuts[k][1]}L${cuts[k + 1][0]} ${cuts[k + 1][1]}`;
      }
    }
  }
  knownContours.set(values, { key, path });
  return path;
}

// A computational graph: boxes with label and value, the gradient below, messages as arrows.
function drawGraph(g, m, at, labels) {
  const half = {};
  const place = {};
  for (const n of m.nodes) {
    const longest = Math.max(textWidth(n.label, 16), textWidth(n.value ?? "", 16));
    half[n.name] = Math.max(26, longest / 2 + 10);
    place[n.name] = [at.x(n.x), at.y(n.y)];
  }
  for (const e of m.edges) {
    const [sx, sy] = place[e.source], [tx, ty] = place[e.target];
    const from = [sx + (tx >= sx ? 1 : -1) * half[e.source], sy];
    const to = [tx - (tx >= sx ? 1 : -1) * half[e.target], ty];
    const [p, q] = e.backward ? [to, from] : [from, to];
    const role = e.state === "waiting" ? "muted" : e.backward ? "gradient" : e.state === "current" ? "model" : "muted";
    const look = { width: e.state === "current" ? 4 : 2, dash: e.state === "waiting" ? "3 5" : null };
    drawArrow(g, ...p, ...q, role, look);
    if (e.label) labels.push({ x: (p[0] + q[0]) / 2, y: (p[1] + q[1]) / 2 - 8, text: e.label, role: e.backward ? "gradient" : "ink", anchor: "middle" });
  }
  for (const n of m.nodes) {
    const [x, y] = place[n.name], w = half[n.name], tall = n.value === undefined ? 19 : 28;
    const waiting = n.state === "waiting", current = n.state === "current";
    put(g, "rect", {
      x: px(x - w), y: px(y - tall), width: px(2 * w), height: 2 * tall, rx: 8,
      fill: inColour(current ? "highlight" : "background"), stroke: inColour(waiting ? "muted" : "ink"),
      "stroke-width": current ? 4 : 1.5, "stroke-dasharray": waiting ? "3 5" : null,
    });
    const plain = { anchor: "middle", halo: false };
    writing(g, x, y + (n.value === undefined ? 6 : -6), n.label, { ...plain, role: waiting ? "muted" : (n.role ?? "ink") });
    if (n.value !== undefined) writing(g, x, y + 18, n.value, { ...plain, role: "model", bold: true });
    if (n.gradient !== undefined) writing(g, x, y + tall + 18, n.gradient, { anchor: "middle", role: "gradient", bold: true });
  }
}
