// Drawing once and then changing only what changed; scales, ticks and axes of a panel.

const SVG = "http://www.w3.org/2000/svg";

// The next child of `parent`: the one that is there, if it is of the same kind, else a new one.
// Only attributes that differ are written. Call `begin` before and `end` after the children.
function put(parent, tag, attributes = {}, text = undefined) {
  let node = parent.childNodes[parent.next];
  if (!node || node.tag !== tag) {
    const fresh = parent.namespaceURI === SVG || tag === "svg"
      ? document.createElementNS(SVG, tag)
      : document.createElement(tag);
    fresh.tag = tag;
    fresh.given = {};
    node ? parent.replaceChild(fresh, node) : parent.append(fresh);
    node = fresh;
  }
  parent.next += 1;
  for (const name in node.given) {
    if (attributes[name] == null) { node.removeAttribute(name); delete node.given[name]; }
  }
  for (const name in attributes) {
    const value = attributes[name];
    if (value == null || node.given[name] === value) continue;
    node.setAttribute(name, value);
    node.given[name] = value;
  }
  if (text !== undefined && node.shown !== text) { node.textContent = text; node.shown = text; }
  return begin(node);
}

function begin(node) { node.next = 0; return node; }

function end(node) {
  while (node.childNodes.length > node.next) node.lastChild.remove();
}

function group(parent, attributes, fill) {
  const node = put(parent, "g", attributes);
  fill(node);
  end(node);
}

const inColour = (role) => `var(--explore-${role})`;
const textWidth = (text, size = 16) => 0.58 * size * String(text).length;
const px = (value) => Math.round(Math.max(-1e5, Math.min(1e5, value)) * 100) / 100;

function writing(parent, x, y, text, { role = "ink", anchor = "start", size = 16, bold = false, halo = true } = {}) {
  put(parent, "text", {
    x: px(x), y: px(y), fill: inColour(role), "text-anchor": anchor, "font-size": size,
    "font-weight": bold ? 600 : null, class: halo ? "explore-halo" : null,
  }, String(text));
}

// A scale maps a value to a pixel.
function scale(low, high, from, to, log) {
  const f = log ? Math.log10 : (v) => v;
  const a = f(low), b = f(high);
  const at = (value) => {
    const t = log && value <= 0 ? -1e4 : (f(value) - a) / (b - a);
    return px(from + (to - from) * t);
  };
  return Object.assign(at, { low, high, log });
}

function ticks(low, high, log, room) {
  if (log) {
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    const every = Math.max(1, Math.ceil((last - first + 1) / Math.max(2, room)));
    const decades = [];
    for (let e = first; e <= last; e += every) decades.push(10 ** e);
    if (decades.length > 1) return decades;
    return [1, 2, 5].flatMap((m) => [first - 1, first, last].map((e) => m * 10 ** e))
      .filter((v, i, all) => v >= low * 0.999 && v <= high * 1.001 && all.indexOf(v) === i)
      .sort((p, q) => p - q);
  }
  const rough = (high - low) / Math.max(2, room);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= rough * 0.75);
  const result = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) {
    result.push(Number((i * step).toPrecision(12)));
  }
  return result;
}

// The smallest and largest coordinate of the marks along one axis, with a little room.
function reach(marks, along, log) {
  let low = Infinity, high = -Infinity;
  const see = (value) => {
    if (!Number.isFinite(value) || (log && value <= 0)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  const seeAll = (values) => { for (const v of values) see(v); };
  const first = along === "x";
  for (const m of marks) {
    if (m.extent) seeAll(first ? m.extent.slice(0, 2) : m.extent.slice(2));
    else if (m.mark === "bars") {
      if (first) for (const v of m.x) { see(v - m.width / 2); see(v + m.width / 2); }
      else { seeAll(m.height); see(0); }
    } else if (m.mark === "boxes") {
      m[along].forEach((v, i) => { see(v); see(v + (first ? m.width : m.height)[i]); });
    } else if (m.mark === "arrow") { see(m.start[first ? 0 : 1]); see(m.end[first ? 0 : 1]); }
    else if (m.mark === "band") seeAll(first ? m.x : [...m.low, ...m.high]);
    else if (m.mark === "graph") seeAll(m.nodes.map((n) => n[along]));
    else if (m[along] !== undefined) seeAll(typeof m[along] === "number" ? [m[along]] : m[along]);
  }
  if (low > high) return [log ? 0.1 : 0, 1];
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.2, high * 1.2];
  const room = low === high ? Math.max(1, Math.abs(low)) * 0.5 : (high - low) * 0.06;
  const floor = marks.some((m) => m.mark === "bars") && !first && low === 0;
  const named = marks.some((m) => m.mark === "bars" && m.labels) && !first;
  return [floor ? 0 : low - room, high + room * (named ? 2 : 1)];
}

// Where a panel's marks go: the plot's rectangle, and a scale for each axis.
function frame(panel, width, height) {
  const bare = !panel.x;
  const xs = panel.x?.limits ?? reach(panel.marks, "x", panel.x?.log);
  const ys = panel.y?.limits ?? reach(panel.marks, "y", panel.y?.log);
  const top = 10 + (panel.title ? 26 : 0) + (panel.y?.label ? 24 : 0);
  const yTicks = bare ? [] : axisTicks(panel.y, ys, Math.max(2, (height - 90) / 52));
  const longest = Math.max(0, ...yTicks.map(([, label]) => textWidth(label, 15)));
  const graph = panel.marks.find((m) => m.mark === "graph");
  const margin = graph ? 62 : 12;
  const box = {
    left: bare ? margin : 14 + longest,
    right: bare ? margin : 18,
    top: bare ? Math.max(top, graph ? top + 34 : 0) : top,
    bottom: bare ? (graph ? 46 : 12) : 54,
  };
  for (const m of panel.marks) {
    if (m.mark === "curve" && m.label) box.right = Math.max(box.right, Math.min(width * 0.35, textWidth(m.label) + 14));
  }
  let left = box.left, right = width - box.right, upper = box.top, lower = height - box.bottom;
  if (panel.equal) {
    const unit = Math.min((right - left) / (xs[1] - xs[0]), (lower - upper) / (ys[1] - ys[0]));
    const spareX = (right - left) - unit * (xs[1] - xs[0]), spareY = (lower - upper) - unit * (ys[1] - ys[0]);
    right -= spareX;
    if (bare) { left += spareX / 2; right += spareX / 2; }
    lower -= spareY;
  }
  const xTicks = bare ? [] : axisTicks(panel.x, xs, Math.max(2, (right - left) / 85));
  return {
    left, right, top: upper, bottom: lower, width, height, xTicks, yTicks,
    x: scale(xs[0], xs[1], left, right, panel.x?.log),
    y: scale(ys[0], ys[1], lower, upper, panel.y?.log),
  };
}

function axisTicks(axis, [low, high], room) {
  if (axis.ticks) {
    return [...axis.ticks].map((v, i) => [v, axis.tick_labels ? axis.tick_labels[i] : number(v)])
      .filter(([v]) => v >= low && v <= high);
  }
  return ticks(low, high, axis.log, room).map((v) => [v, number(v)]);
}

function drawAxes(svg, panel, at) {
  group(svg, { class: "explore-axes", "aria-hidden": "true" }, (g) => {
    const line = (x1, y1, x2, y2, role) => put(g, "line", { x1, y1, x2, y2, stroke: inColour(role) });
    if (panel.title) writing(g, at.left, 20, panel.title, { bold: true, size: 17, halo: false });
    if (!panel.x) return;
    if (!panel.marks.some((m) => m.mark === "heat" || m.mark === "image")) {
      for (const [v] of at.xTicks) line(at.x(v), at.top, at.x(v), at.bottom, "grid");
      for (const [v] of at.yTicks) line(at.left, at.y(v), at.right, at.y(v), "grid");
    }
    line(at.left, at.bottom, at.right, at.bottom, "muted");
    line(at.left, at.top, at.left, at.bottom, "muted");
    const small = { role: "ink", size: 15, halo: false };
    for (const [v, label] of at.xTicks) writing(g, at.x(v), at.bottom + 20, label, { ...small, anchor: "middle" });
    for (const [v, label] of at.yTicks) writing(g, at.left - 7, at.y(v) + 5, label, { ...small, anchor: "end" });
    writing(g, (at.left + at.right) / 2, at.bottom + 43, panel.x.label, { anchor: "middle", halo: false });
    writing(g, 4, at.top - 10, panel.y.label, { halo: false });
  });
}
