// Numbers for people, and arrays as they come from Python. Twins may use number and linspace.

// The same as course.explore.scene.number.
function number(x, digits = 4) {
  if (Number.isNaN(x)) return "not a number";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const [mantissa, power] = Math.abs(x).toExponential(digits - 1).split("e");
  const exponent = Number(power);
  const sign = x < 0 ? "−" : "";
  if (exponent > -5 && exponent < 6) {
    return sign + trim(Math.abs(x).toFixed(Math.max(0, digits - 1 - exponent)));
  }
  const raised = [...String(exponent)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");
  return `${sign}${trim(mantissa)}·10${raised}`;
}

// n values from a to b, as numpy.linspace.
function linspace(a, b, n) {
  return Array.from({ length: n }, (_, i) => (i === n - 1 ? b : a + ((b - a) / (n - 1)) * i));
}

// What course.explore.wire.pack packed; arrays of two and more dimensions become nested.
function unpack(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value.number === "string") return { nan: NaN, inf: Infinity, "-inf": -Infinity }[value.number];
  if ("dtype" in value && "shape" in value) return unpackArray(value);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpack(each)]));
}

function unpackArray({ dtype, shape, bytes }) {
  const types = { float64: Float64Array, float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
  const raw = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  const whole = raw
    ? raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength)
    : new ArrayBuffer(0); // an empty array has no buffer
  const flat = new types[dtype](whole);
  const nest = (depth, start, step) => {
    if (depth === shape.length - 1) return flat.subarray(start, start + shape[depth]);
    const inner = step / shape[depth];
    return Array.from({ length: shape[depth] }, (_, i) => nest(depth + 1, start + i * inner, inner));
  };
  return shape.length ? nest(0, 0, flat.length) : flat[0];
}
