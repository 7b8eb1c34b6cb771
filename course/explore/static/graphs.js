// The twin of course/explore/graphs.py: both passes over a worked graph, and the state after a step.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

// For each operation its value, and its local derivatives given the parents' values and its own.
const RULES = {
  "add": [(a, b) => a + b, () => [1, 1]],
  "add three": [(a, b, c) => a + b + c, () => [1, 1, 1]],
  "multiply": [(a, b) => a * b, ([a, b]) => [b, a]],
  "square": [(a) => a * a, ([a]) => [2 * a]],
  "exp": [Math.exp, (p, out) => [out]],
  "sqrt": [Math.sqrt, (p, out) => [1 / (2 * out)]],
  "cos": [Math.cos, ([a]) => [-Math.sin(a)]],
  "negate": [(a) => -a, () => [-1]],
  "add one": [(a) => 1 + a, () => [1]],
  "invert": [(a) => 1 / a, (p, out) => [-out * out]],
  "minus log": [(a) => -Math.log(a), ([a]) => [-1 / a]],
  "sigmoid": [sigmoid, (p, out) => [out * (1 - out)]],
  "line": [(w, x, b) => w * x + b, ([w, x]) => [x, w, 1]],
  "half square": [(a) => 0.5 * a * a, ([a]) => [a]],
  "half squared error": [(a, t) => 0.5 * (a - t) ** 2, ([a, t]) => [a - t, t - a]],
  "penalise": [(a, l, r) => a + l * r, ([a, l, r]) => [1, r, l]],
};

function sweep(nodes, changes) {
  const value = {}, gradient = {}, slope = {}, message = {};
  for (const n of nodes) {
    value[n.name] = n.operation
      ? RULES[n.operation][0](...n.parents.map((p) => value[p]))
      : n.value + (changes[n.name] ?? 0);
    gradient[n.name] = 0;
  }
  gradient[nodes.at(-1).name] = 1;
  for (const n of [...nodes].reverse()) {
    if (!n.operation) continue;
    const slopes = RULES[n.operation][1](n.parents.map((p) => value[p]), value[n.name]);
    n.parents.forEach((parent, i) => {
      const edge = `${n.name} ${parent}`;
      slope[edge] = slopes[i];
      message[edge] = gradient[n.name] * slopes[i];
      gradient[parent] += message[edge];
    });
  }
  return { value, gradient, slope, message };
}

const barred = (name) => `${name[0]}\u0304${name.slice(1)}`;
const written = (text, n) =>
  text.replace(/\{(\w+)\}/g, (_, key) => (key === "out" ? n.name : n.parents[Number(key)]));

const product = (a, b) => (/[−+/ ]/.test(b) ? `${a} · (${b})` : `${a} · ${b}`);

function explanation(nodes, operations, passes, stage, asking, up, down) {
  const { value, gradient, slope, message } = passes;
  if (stage === 0) {
    const leaves = nodes.filter((n) => !n.operation).map((n) => `${n.name} = ${number(value[n.name], 6)}`).join(", ");
    return [[["inputs", "given", leaves, ""]], `The inputs are ${leaves}. Step on to compute ${up[0]}.`];
  }
  if (stage <= up.length) {
    const n = nodes.find((each) => each.name === up[stage - 1]);
    const formula = written(operations[n.operation].formula, n);
    const parents = n.parents.map((p) => `${p} = ${number(value[p], 6)}`).join(", ");
    const result = asking ? "?" : number(value[n.name], 6);
    const place = `Forward ${stage} of ${up.length}: ${n.name} = ${formula}`;
    return [[[n.name, formula, parents, result]], asking ? `${place}. How large is it?` : `${place} = ${result}.`];
  }
  const name = down[stage - up.length - 1];
  const place = `Backward ${stage - up.length} of ${down.length}: the error signal of ${name}`;
  if (name === down[0]) {
    const words = asking ? `${place}. What is ∂${name}/∂${name}?` : `${place} is ∂${name}/∂${name} = 1.`;
    return [[[barred(name), `∂${name}/∂${name}`, "", asking ? "?" : "1"]], words];
  }
  const children = nodes.filter((n) => n.parents.includes(name));
  const rows = children.map((child) => {
    const edge = `${child.name} ${name}`;
    const local = written(operations[child.operation].slopes[child.parents.indexOf(name)], child);
    return [
      children.length > 1 ? `from ${child.name}` : barred(name),
      product(barred(child.name), local),
      product(number(gradient[child.name], 6), number(slope[edge], 6)),
      asking ? "?" : number(message[edge], 6),
    ];
  });
  const result = asking ? "?" : number(gradient[name], 6);
  const senders = children.map((child) => child.name).join(" and ");
  const kind = children.length === 1 ? "is the message from" : "adds the messages from";
  if (children.length > 1) rows.push([barred(name), "sum of the messages", "", result]);
  return [rows, `${place} ${kind} ${senders}${asking ? ". How large is it?" : `: ${result}.`}`];
}

export function scene({ graph, step, guess, first, second, third }, { graphs, operations }) {
  const { nodes, moved, height, compact } = graphs[graph];
  const changes = Object.fromEntries(moved.map((name, i) => [name, [first, second, third][i]]));
  const passes = sweep(nodes, changes);
  const up = nodes.filter((n) => n.operation).map((n) => n.name);
  const down = nodes.map((n) => n.name).reverse();
  const last = (up.length + down.length) * (guess ? 2 : 1);
  const now = Math.min(step, last);
  const stage = guess ? Math.floor((now + 1) / 2) : now;
  const asking = guess && now % 2 === 1;
  const forward = stage <= up.length;
  const current = stage === 0 ? "" : forward ? up[stage - 1] : down[stage - up.length - 1];
  const finishedUp = new Set(up.slice(0, stage));
  const finishedDown = new Set(down.slice(0, Math.max(0, stage - up.length)));
  const isWaiting = (n) => Boolean(n.operation) && !finishedUp.has(n.name);

  const branches = nodes.filter((n) => n.parents.includes(current)).length > 1;
  const drawn = [], edges = [];
  for (const n of nodes) {
    const waiting = isWaiting(n), mark = { name: n.name, x: n.x, y: n.y, label: n.name, role: "ink" };
    if (moved.includes(n.name)) mark.label += ` ${"①②③"[moved.indexOf(n.name)]}`;
    if (n.operation) {
      const { symbol, formula } = operations[n.operation];
      mark.label = compact ? `${n.name} ${symbol}` : `${n.name} = ${written(formula, n)}`;
      for (const parent of n.parents) {
        const backward = finishedDown.has(parent);
        const arriving = current === (forward ? n.name : parent);
        const e = { source: parent, target: n.name, state: arriving ? "current" : waiting ? "waiting" : "done" };
        if (backward) e.backward = true;
        if (branches && backward && arriving && !asking) e.label = number(passes.message[`${n.name} ${parent}`]);
        edges.push(e);
      }
    }
    if (!waiting) mark.value = asking && forward && n.name === current ? "?" : number(passes.value[n.name]);
    if (finishedDown.has(n.name)) mark.gradient = asking && n.name === current ? "?" : number(passes.gradient[n.name]);
    mark.state = waiting ? "waiting" : n.name === current ? "current" : "done";
    drawn.push(mark);
  }
  const [rows, words] = explanation(nodes, operations, passes, stage, asking, up, down);
  return {
    panels: [
      { marks: [{ mark: "graph", nodes: drawn, edges }], title: `${graph}: step ${now} of ${last}`, height, weight: 3 },
      { marks: [{ mark: "table", columns: ["node", "rule", "numbers", "result"], rows, highlight: [rows.length - 1] }], height: 40 + 34 * rows.length },
    ],
    words,
    ...(moved.length < 3 ? { idle: [..."①②③"].slice(moved.length).map((c) => `${c} changed by`) } : {}),
  };
}
