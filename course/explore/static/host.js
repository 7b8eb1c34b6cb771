// A page's stand-in for Jupyter: models, links and native controls, without kernel or network.
// It knows the ipywidgets that explorables use; export refuses a page with any other.

class Model {
  constructor(state) {
    this.state = state;
    this.listeners = {};
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (typeof name === "object") { for (const each in name) this.set(each, name[each]); return; }
    if (Object.is(this.state[name], value)) return;
    this.state[name] = value;
    for (const call of [...(this.listeners[`change:${name}`] ?? [])]) call(this, value);
  }
  on(event, call) { (this.listeners[event] ??= []).push(call); }
  off(event, call) { this.listeners[event] = (this.listeners[event] ?? []).filter((each) => each !== call); }
  save_changes() {}
}

let named = 0;
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// Label, control and read-out in a row; the label names the control.
function row(model, control, readout) {
  control.id ||= `control-${(named += 1)}`;
  const label = make("label", { htmlFor: control.id, textContent: model.get("description") });
  return make("div", { className: "host-control" }, label, control, ...(readout ? [readout] : []));
}

function follow(model, attribute, show) {
  model.on(`change:${attribute}`, show);
  show();
}

function readable(value, format) {
  const [, digits, type] = /^\.?(\d*)([a-z])$/.exec(format ?? "") ?? [];
  if (type === "f") return value.toFixed(Number(digits)).replace("-", "−");
  if (type === "g") return number(value, Number(digits));
  return number(value, 6);
}

function range(model, { min, max, step, toControl, toModel, text }) {
  const input = make("input", { type: "range", min, max, step });
  const readout = make("output", {});
  const attribute = "index" in model.state ? "index" : "value";
  input.addEventListener("input", () => model.set(attribute, toModel(Number(input.value))));
  follow(model, attribute, () => {
    const value = model.get(attribute);
    input.value = toControl(value);
    readout.textContent = text(value);
    input.setAttribute("aria-valuetext", text(value));
  });
  return row(model, input, readout);
}

const same = (value) => value;
const rounded = (value) => Number(value.toPrecision(12)); // 0.1 + 0.2 is 0.3 on a slider
const CONTROLS = {
  FloatSliderModel: (m) => range(m, {
    min: m.get("min"), max: m.get("max"), step: m.get("step"), toControl: same, toModel: rounded,
    text: (v) => readable(v, m.get("readout_format")),
  }),
  FloatLogSliderModel: (m) => range(m, {
    min: m.get("min"), max: m.get("max"), step: m.get("step"),
    toControl: (v) => Math.log(v) / Math.log(m.get("base")), toModel: (e) => m.get("base") ** e,
    text: (v) => readable(v, m.get("readout_format")),
  }),
  IntSliderModel: (m) => range(m, {
    min: m.get("min"), max: m.get("max"), step: m.get("step"), toControl: same, toModel: same,
    text: (v) => number(v, 9),
  }),
  SelectionSliderModel: (m) => range(m, {
    min: 0, max: m.get("_options_labels").length - 1, step: 1, toControl: same, toModel: same,
    text: (i) => m.get("_options_labels")[i],
  }),
  DropdownModel(m) {
    const select = make("select", {}, ...m.get("_options_labels").map((text) => make("option", { textContent: text })));
    select.addEventListener("change", () => m.set("index", select.selectedIndex));
    follow(m, "index", () => { select.selectedIndex = m.get("index"); });
    return row(m, select);
  },
  ToggleButtonsModel(m) {
    const name = `choice-${(named += 1)}`;
    const radios = m.get("_options_labels").map((text, index) => {
      const radio = make("input", { type: "radio", name });
      radio.addEventListener("change", () => m.set("index", index));
      return [radio, make("label", {}, radio, text)];
    });
    follow(m, "index", () => radios.forEach(([radio], i) => { radio.checked = i === m.get("index"); }));
    const legend = make("legend", { textContent: m.get("description") });
    return make("fieldset", { className: "host-control host-choice" }, legend, ...radios.map(([, label]) => label));
  },
  CheckboxModel(m) {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => m.set("value", box.checked));
    follow(m, "value", () => { box.checked = m.get("value"); });
    return make("label", { className: "host-control" }, box, m.get("description"));
  },
  PlayModel(m) {
    let timer = 0;
    const button = make("button", { type: "button" });
    const show = () => {
      button.textContent = timer ? "❚❚ Pause" : "▶ Play";
    };
    const stop = () => { clearInterval(timer); timer = 0; show(); };
    const step = () => {
      if (m.get("value") >= m.get("max")) stop();
      else m.set("value", Math.min(m.get("max"), m.get("value") + m.get("step")));
    };
    button.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (m.get("value") >= m.get("max")) m.set("value", m.get("min"));
      timer = setInterval(step, m.get("interval"));
      show();
    });
    show();
    return make("div", { className: "host-control" }, button);
  },
};

function put_buffers({ state, buffers = [] }) {
  for (const { path, data } of buffers) {
    let place = state;
    for (const key of path.slice(0, -1)) place = place[key];
    place[path.at(-1)] = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  }
  return state;
}

function host(page, links, twins) {
  const models = {};
  for (const id in page) models[id] = new Model(put_buffers(page[id]));
  const view = (id) => {
    const { kind } = page[id], model = models[id];
    if (kind in CONTROLS) return CONTROLS[kind](model);
    if (kind === "AnyModel") {
      const el = make("div");
      explore(model, el, twins[model.get("_anywidget_id")]);
      return el;
    }
    const classes = [kind === "VBoxModel" ? "host-column" : "host-row", ...(model.get("_dom_classes") ?? [])];
    return make("div", { className: classes.join(" ") }, ...model.get("children").map((child) => view(child)));
  };
  for (const [figure, parameter, control, attribute] of links) {
    const [from, to] = [models[figure], models[control]];
    follow(from, parameter, () => to.set(attribute, from.get(parameter)));
    to.on(`change:${attribute}`, () => from.set(parameter, to.get(attribute)));
  }
  for (const place of document.querySelectorAll("[data-model]")) place.append(view(place.dataset.model));
}
