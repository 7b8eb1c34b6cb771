// The shared renderer: one explorable figure, its buttons, its words, and when to draw again.

const PIXELS = { heat: true, image: true, images: true };

function stops(name) {
  return SCALES[name].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
}

// The values of one heat map or image as pixels; row 0 of `rows` is the uppermost.
function paint(canvas, rows, scaleName, limits, opacity) {
  const height = rows.length, width = rows[0].length;
  let [low, high] = limits ?? [Infinity, -Infinity];
  if (!limits) for (const row of rows) for (const v of row) { if (v < low) low = v; if (v > high) high = v; }
  const colours = stops(scaleName), last = colours.length - 1, span = high - low || 1;
  canvas.width = width;
  canvas.height = height;
  const picture = new ImageData(width, height);
  let k = 0;
  for (const row of rows) {
    for (let i = 0; i < width; i += 1, k += 4) {
      const value = row[i];
      if (!Number.isFinite(value)) continue; // clear: gaps between images, values not a number
      const t = Math.max(0, Math.min(1, (value - low) / span)) * last;
      const j = Math.min(last - 1, Math.floor(t)), part = t - j;
      for (let c = 0; c < 3; c += 1) picture.data[k + c] = colours[j][c] + (colours[j + 1][c] - colours[j][c]) * part;
      picture.data[k + 3] = 255 * opacity;
    }
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

// A grid of images as one picture, one clear pixel between them; where each stands, for labels.
function tiles(mark, at) {
  const n = mark.values.length, columns = Math.min(mark.columns, n), lines = Math.ceil(n / columns);
  const h = mark.values[0].length, w = mark.values[0][0].length;
  const caption = mark.labels ? 22 : 6;
  const side = Math.min((at.right - at.left) / columns - 8, ((at.bottom - at.top) / lines - caption) * (w / h));
  return mark.values.map((values, i) => ({
    values, x: at.left + (i % columns) * (side + 8), y: at.top + Math.floor(i / columns) * (side * (h / w) + caption),
    width: side, height: side * (h / w), label: mark.labels?.[i], role: mark.roles?.[i] ?? "ink",
  }));
}

function drawPixels(panelElement, panel, at) {
  const layer = put(panelElement, "div", { class: "explore-pixels", "aria-hidden": "true" });
  const one = (key, rows, mark, x, y, width, height) => {
    const scaleName = mark.scale ?? { heat: "sequential", image: "grey", images: "paper" }[mark.mark];
    const canvas = put(layer, "canvas", {
      style: `left:${px(x)}px;top:${px(y)}px;width:${px(width)}px;height:${px(height)}px;`
        + (mark.mark === "heat" && mark.smooth !== false ? "" : "image-rendering:pixelated;"),
    });
    const same = canvas.key === key && canvas.low === mark.limits?.[0] && canvas.high === mark.limits?.[1] && canvas.scale === scaleName;
    if (same) return;
    paint(canvas, rows, scaleName, mark.limits, mark.opacity ?? 1);
    Object.assign(canvas, { key, low: mark.limits?.[0], high: mark.limits?.[1], scale: scaleName });
  };
  for (const mark of panel.marks) {
    if (mark.mark === "images") {
      for (const t of tiles(mark, at)) one(t.values, [...t.values], mark, t.x, t.y, t.width, t.height);
    } else if (PIXELS[mark.mark]) {
      const [x0, x1, y0, y1] = mark.extent;
      const rows = mark.mark === "heat" ? [...mark.values].reverse() : [...mark.values];
      one(mark.values, rows, mark, at.x(x0), at.y(y1), at.x(x1) - at.x(x0), at.y(y0) - at.y(y1));
    }
  }
  end(layer);
}

function drawPanel(element, panel, width, words) {
  const height = panel.height ?? 340, at = frame(panel, width, height);
  begin(element);
  drawPixels(element, panel, at);
  const label = words ?? panel.title ?? panel.y?.label ?? "picture";
  const svg = put(element, "svg", { width, height, role: "img", "aria-label": label });
  drawAxes(svg, panel, at);
  element.clip ??= `explore-${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;
  const clip = put(put(svg, "defs"), "clipPath", { id: element.clip });
  const bare = !panel.x;
  put(clip, "rect", {
    x: bare ? 0 : px(at.left - 6), y: bare ? 0 : px(at.top - 6), // half a dot on the edge is seen whole
    width: px(bare ? width : at.right - at.left + 12), height: px(bare ? height : at.bottom - at.top + 12),
  });
  const labels = [];
  group(svg, { "clip-path": `url(#${element.clip})` }, (g) => {
    for (const mark of panel.marks) {
      if (MARKS[mark.mark]) group(g, {}, (inner) => MARKS[mark.mark](inner, mark, at, labels));
    }
  });
  group(svg, {}, (g) => {
    drawLabels(g, labels, at);
    for (const mark of panel.marks) {
      if (mark.mark !== "images") continue;
      for (const t of tiles(mark, at)) {
        put(g, "rect", { x: px(t.x), y: px(t.y), width: px(t.width), height: px(t.height), fill: "none", stroke: inColour(mark.roles ? t.role : "grid"), "stroke-width": mark.roles ? 3 : 1 });
        if (t.label) writing(g, t.x + t.width / 2, t.y + t.height + 17, t.label, { anchor: "middle", role: t.role, size: 15 });
      }
    }
  });
  end(svg);
  end(element);
}

function drawTable(element, panel) {
  const mark = panel.marks[0];
  begin(element);
  const table = put(element, "table", {});
  if (panel.title) put(table, "caption", {}, panel.title);
  const colour = (i) => (mark.roles ? `color:${inColour(mark.roles[i])}` : null);
  const head = put(put(table, "thead"), "tr");
  mark.columns.forEach((text, i) => put(head, "th", { scope: "col", style: colour(i) }, text));
  end(head);
  const body = put(table, "tbody");
  mark.rows.forEach((cells, r) => {
    const now = mark.highlight?.includes(r);
    const row = put(body, "tr", { class: now ? "explore-now" : null, "aria-current": now ? "true" : null });
    cells.forEach((text, i) => put(row, "td", { style: colour(i) }, typeof text === "number" ? number(text, 6) : text));
    end(row);
  });
  end(body);
  end(table);
  end(element);
}

// Panels side by side as long as each keeps 320 px, else below each other.
function layOut(panels, width) {
  const gap = 16, lines = [[]];
  for (const panel of panels) {
    const line = [...lines.at(-1), panel];
    const weight = line.reduce((sum, p) => sum + (p.weight ?? 1), 0);
    const fits = line.every((p) => ((width - gap * (line.length - 1)) * (p.weight ?? 1)) / weight >= 320);
    if (fits || !lines.at(-1).length) lines[lines.length - 1] = line;
    else lines.push([panel]);
  }
  return lines.flatMap((line) => {
    const weight = line.reduce((sum, p) => sum + (p.weight ?? 1), 0);
    return line.map((p) => Math.floor(((width - gap * (line.length - 1)) * (p.weight ?? 1)) / weight));
  });
}

function drawScene(element, scene, width) {
  begin(element);
  const widths = layOut(scene.panels, width);
  scene.panels.forEach((panel, i) => {
    const isTable = panel.marks[0]?.mark === "table";
    const child = put(element, "div", { class: "explore-panel", style: `width:${widths[i]}px` });
    const first = scene.panels.findIndex((p) => p.marks[0]?.mark !== "table") === i;
    if (isTable) drawTable(child, panel);
    else drawPanel(child, panel, widths[i], first ? scene.words : undefined);
  });
  end(element);
}

// The kernel's newest scene; without kernel the one among the frames nearest to the parameters.
function storedScene(model, parameters) {
  const frames = model.get("_frames");
  if (!frames?.scenes) return unpack(model.get("_scene"));
  let place = 0;
  for (const { name, values, log } of frames.grid) {
    const now = parameters[name], f = log ? Math.log : Number;
    const distance = values.map((v) => (typeof v === "number" ? Math.abs(f(v) - f(now)) : Number(v !== now)));
    place = place * values.length + distance.indexOf(Math.min(...distance));
  }
  return unpack(frames.scenes[place]);
}

function explore(model, el, twin) {
  const declared = model.get("_declared");
  const data = unpack(model.get("_data"));
  el.classList.add("explore");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", declared.title);
  const bar = document.createElement("div");
  bar.className = "explore-buttons";
  const picture = document.createElement("div");
  picture.className = "explore-picture";
  const words = document.createElement("p");
  words.className = "explore-words";
  words.setAttribute("aria-hidden", "true"); // the picture's name and the live region say the same
  const live = document.createElement("div");
  live.className = "explore-live";
  live.setAttribute("role", "status");
  el.append(bar, picture, words, live);

  const set = (values) => {
    for (const name in values) model.set(name, values[name]);
    model.save_changes();
  };
  const defaults = Object.fromEntries(declared.parameters.map((p) => [p.name, p.default]));
  const button = (text, values) => {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = text;
    b.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes Enter
    b.addEventListener("click", () => set(values));
    bar.append(b);
  };
  for (const { name, values } of declared.presets) button(name, { ...defaults, ...values });
  button("Reset", defaults);

  const parameters = () => Object.fromEntries(declared.parameters.map((p) => {
    const value = model.get(p.name);
    return [p.name, p.options ? p.options[value] : value];
  }));

  let frame = 0, changed = false, speaking = 0, said = null, width = 0;
  const draw = () => {
    if (!changed || !width) return;
    changed = false;
    const scene = twin ? twin(parameters(), data) : storedScene(model, parameters());
    if (!scene.panels) return; // the kernel has not sent its first scene yet
    drawScene(picture, scene, width);
    showControls(el, scene.idle ?? []);
    if (words.textContent !== scene.words) words.textContent = scene.words;
    clearTimeout(speaking);
    if (said === null) said = scene.words; // what is there at first is read with the page
    speaking = setTimeout(() => {
      if (said !== scene.words) live.textContent = said = scene.words;
    }, 600);
    el.dataset.drawn = Number(el.dataset.drawn ?? 0) + 1;
  };
  // A change is drawn at once, when all values of one event are set; further ones once a frame.
  const ask = () => {
    changed = true;
    if (frame) return;
    frame = requestAnimationFrame(() => { frame = 0; draw(); });
    queueMicrotask(draw);
  };
  const frames = model.get("_frames")?.scenes;
  const events = twin || frames ? declared.parameters.map((p) => `change:${p.name}`) : [];
  for (const event of events) model.on(event, ask);
  if (!twin) model.on("change:_scene", ask);

  const size = new ResizeObserver(() => {
    const wide = Math.floor(Math.min(el.clientWidth, 1100));
    if (wide && wide !== width) { width = wide; ask(); }
  });
  size.observe(el);
  const names = nameControls(el);
  return () => {
    for (const event of events) model.off(event, ask);
    model.off("change:_scene", ask);
    size.disconnect();
    names();
    cancelAnimationFrame(frame);
    clearTimeout(speaking);
  };
}

// Controls that change nothing in this state are taken away, by their labels.
function showControls(el, idle, tries = 50) {
  if (!idle.length && !el.dataset.idle) return;
  const box = el.closest(".explore-box");
  if (!box) { // not yet in its place
    if (tries) setTimeout(() => showControls(el, idle, tries - 1), 100);
    return;
  }
  el.dataset.idle = "1";
  for (const control of box.querySelectorAll(".explore-controls > *")) {
    const name = control.querySelector("label, .widget-label")?.textContent.trim();
    control.style.display = idle.includes(name) ? "none" : "";
  }
}

// ipywidgets' slider handles have no name and JupyterLab takes some of their keys: mend both.
function nameControls(el) {
  let box = null;
  const mend = () => {
    box.querySelectorAll(".widget-play button").forEach((button, i) => {
      const name = ["Play or pause", "Back to the start"][i % 2];
      if (button.getAttribute("aria-label") !== name) button.setAttribute("aria-label", name);
      if (!button.dataset.lmSuppressShortcuts) button.dataset.lmSuppressShortcuts = "true";
    });
    for (const control of box.querySelectorAll(".explore-controls > *")) {
      const name = control.querySelector("label, .widget-label")?.textContent.trim();
      for (const handle of control.querySelectorAll(".noUi-handle, .widget-readout")) {
        if (name && handle.getAttribute("aria-label") !== name) handle.setAttribute("aria-label", name);
        if (!handle.dataset.lmSuppressShortcuts) handle.dataset.lmSuppressShortcuts = "true";
      }
    }
  };
  const watch = new MutationObserver(mend);
  const find = setInterval(() => {
    box = el.closest(".explore-box");
    if (!box) return;
    clearInterval(find);
    mend();
    const controls = box.querySelector(".explore-controls");
    if (controls) watch.observe(controls, { childList: true, subtree: true });
  }, 50);
  setTimeout(() => clearInterval(find), 20000);
  return () => { clearInterval(find); watch.disconnect(); };
}
