"use strict";
// Draws one record of the gallery on ECG paper, with the map of one class behind it.
(function () {
  const all = JSON.parse(document.getElementById("records").textContent);
  const viewer = document.getElementById("viewer");
  if (!viewer) return;
  viewer.hidden = false;
  const get = (id) => document.getElementById(id);
  const canvas = get("paper");
  const FOR = [74, 155, 217], AGAINST = [233, 139, 54], BAR = "#303030";
  const AXIS = 18; // pixels for the labels of time
  const state = { record: 0, name: null, method: null, start: 0, end: 1 };
  let view = null; // the record that is shown, decoded

  function numbers(packed, type) {
    const text = atob(packed.data), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new type(bytes.buffer);
  }

  // A packed array with its last axis cut into rows.
  function rows(values, steps) {
    const found = [];
    for (let i = 0; i < values.length; i += steps) found.push(values.subarray(i, i + steps));
    return found;
  }

  function decode(one) {
    const steps = one.shape[1];
    const leads = rows(numbers(one, Int16Array), steps).map((row) => {
      let low = Infinity, high = -Infinity;
      const values = Float32Array.from(row, (v) => v * one.scale);
      for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
      return { values, low: Math.min(low, 0), high: Math.max(high, 0) };
    });
    const ranges = leads.map((lead) => lead.high - lead.low).sort((a, b) => a - b);
    return { one, steps, leads, range: ranges[ranges.length >> 1] || 1, maps: {} };
  }

  // The bands of a class's map, from top to bottom: one, or one for each lead.
  function bands() {
    const { one, maps } = view, packed = one.maps[state.method];
    if (!packed) return [];
    if (!maps[state.method]) maps[state.method] = numbers(packed, Int8Array);
    const shape = packed.shape, steps = shape[shape.length - 1];
    const size = shape.length === 3 ? shape[1] * steps : steps;
    const at = Math.max(0, one.classes.findIndex((c) => c.name === state.name));
    return rows(maps[state.method].subarray(at * size, (at + 1) * size), steps);
  }

  // 1, 2 or 5 times a power of ten, at least `least`.
  function round125(least) {
    const power = 10 ** Math.floor(Math.log10(least));
    return power * [1, 2, 5, 10].find((k) => k * power >= least * 0.999);
  }

  function draw() {
    const width = Math.max(200, canvas.clientWidth), dpr = window.devicePixelRatio || 1;
    const { one, leads, steps } = view, fs = all.fs;
    const duration = fs ? one.n_times / fs : one.n_times;
    // A large box: 0.2 s and 0.5 mV, square where the whole record is shown.
    const perMv = Math.min(fs ? (width / duration) * 0.4 : 40, 44, 110 / view.range);
    const tall = Math.max(perMv, Math.min(12, 110 / view.range));
    const heights = leads.map((l) => Math.min(l.high - l.low, 4 * view.range) * tall + 14);
    const height = heights.reduce((a, b) => a + b, 0);
    canvas.width = Math.round(width * dpr);
    canvas.height = Math.round((height + AXIS) * dpr);
    canvas.style.height = height + AXIS + "px";
    const pen = canvas.getContext("2d");
    pen.scale(dpr, dpr);
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height + AXIS);
    const seen = state.end - state.start;
    const x = (share) => ((share - state.start) / seen) * width;
    paint(pen, bands(), heights, height, x, width);
    const box = grid(pen, width, height, duration, tall);
    trace(pen, heights, x, tall);
    axis(pen, width, height, duration);
    const told = fs ? (s) => (s * duration).toFixed(2) + " s" : (s) => Math.round(s * duration) + " steps";
    get("boxes").textContent = box;
    canvas.dataset.start = (state.start * duration).toFixed(3);
    canvas.dataset.end = (state.end * duration).toFixed(3);
    const of = state.method ? `, ${state.method} for ${state.name}` : "";
    const said = `${told(state.start)} to ${told(state.end)}${of}`;
    if (get("shown").textContent !== said) get("shown").textContent = said;
    canvas.setAttribute("aria-label", `Record ${one.name}, ${all.leads.length} leads, ${said}`);
  }

  function paint(pen, found, heights, height, x, width) {
    let top = 0;
    found.forEach((band, k) => {
      const tall = found.length === 1 ? height : heights[k];
      const n = band.length;
      const first = Math.max(0, Math.floor(state.start * n));
      const last = Math.min(n, Math.ceil(state.end * n));
      for (let i = first; i < last; i++) {
        const value = band[i] / 127;
        if (!value) continue;
        const [r, g, b] = value > 0 ? FOR : AGAINST;
        const left = Math.max(0, x(i / n)), right = Math.min(width, x((i + 1) / n));
        pen.fillStyle = `rgba(${r},${g},${b},${Math.abs(value)})`;
        pen.fillRect(left, top, right - left + 0.3, tall);
        if (value < -0.1) { // orange and blue look alike in grey
          pen.fillStyle = BAR;
          pen.fillRect(left, top + tall - 3, right - left + 0.3, 3);
        }
      }
      top += tall;
    });
  }

  function grid(pen, width, height, duration, perMv) {
    const perUnit = width / ((state.end - state.start) * duration);
    const fs = all.fs;
    let time = fs ? 0.2 : round125(20 / perUnit);
    while (time * perUnit < 6) time *= 5;
    const level = perMv * 0.5 >= 4 ? 0.5 : round125(8 / perMv);
    const lines = (dt, dv, colour) => {
      pen.strokeStyle = colour;
      pen.lineWidth = 1;
      pen.beginPath();
      const begin = state.start * duration;
      for (let t = Math.ceil(begin / dt) * dt; (t - begin) * perUnit <= width; t += dt) {
        const at = Math.round((t - begin) * perUnit) + 0.5;
        pen.moveTo(at, 0); pen.lineTo(at, height);
      }
      for (let v = 0; v * perMv <= height; v += dv) {
        const at = Math.round(v * perMv) + 0.5;
        pen.moveTo(0, at); pen.lineTo(width, at);
      }
      pen.stroke();
    };
    if ((time / 5) * perUnit >= 4 && (level / 5) * perMv >= 4) lines(time / 5, level / 5, "rgba(224,120,120,.22)");
    lines(time, level, "rgba(214,96,96,.5)");
    return `· a box: ${+time.toPrecision(3)} ${fs ? "s" : "steps"}, ${+level.toPrecision(3)} mV`;
  }

  function trace(pen, heights, x, perMv) {
    const { leads, steps } = view;
    let top = 0;
    leads.forEach((lead, k) => {
      const zero = top + 7 + lead.high * perMv;
      const first = Math.max(0, Math.floor(state.start * steps) - 1);
      const last = Math.min(steps, Math.ceil(state.end * steps) + 1);
      pen.save();
      pen.beginPath();
      pen.rect(0, top, canvas.clientWidth, heights[k]);
      pen.clip();
      pen.strokeStyle = "#101010";
      pen.lineWidth = 1.1;
      pen.lineJoin = "round";
      pen.beginPath();
      for (let i = first; i < last; i++) pen.lineTo(x((i + 0.5) / steps), zero - lead.values[i] * perMv);
      pen.stroke();
      pen.restore();
      pen.font = "600 11px system-ui, sans-serif";
      pen.textBaseline = "top";
      const name = String(all.leads[k]);
      pen.fillStyle = "rgba(255,255,255,.8)";
      pen.fillRect(2, top + 1, pen.measureText(name).width + 5, 13);
      pen.fillStyle = "#101010";
      pen.fillText(name, 4, top + 2);
      top += heights[k];
    });
  }

  function axis(pen, width, height, duration) {
    const begin = state.start * duration, shown = (state.end - state.start) * duration;
    const step = round125((shown * 56) / width);
    pen.fillStyle = "#444";
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (let t = Math.ceil(begin / step - 1e-6) * step; t <= begin + shown + 1e-9; t += step) {
      const said = `${+t.toFixed(3)}${all.fs ? " s" : ""}`;
      const half = pen.measureText(said).width / 2 + 2;
      const at = Math.min(Math.max(((t - begin) / shown) * width, half), width - half);
      pen.fillText(said, at, height + 3);
    }
    pen.textAlign = "left";
  }

  // A factor below 1 zooms in; `at` is the place that stays, a share of what is shown.
  function zoom(factor, at = 0.5) {
    const seen = state.end - state.start;
    const next = Math.min(1, Math.max(seen * factor, 16 / view.steps));
    show(state.start + (seen - next) * at, next);
  }

  function move(share) {
    const seen = state.end - state.start;
    show(state.start + share * seen, seen);
  }

  function show(start, seen) {
    state.start = Math.min(Math.max(0, start), 1 - seen);
    state.end = state.start + seen;
    draw();
  }

  function radios(id, options, chosen, pick) {
    const set = get(id);
    set.querySelectorAll("label").forEach((old) => old.remove());
    set.hidden = options.length === 0;
    for (const { value, text } of options) {
      const label = document.createElement("label"), input = document.createElement("input");
      input.type = "radio";
      input.name = id;
      input.value = value;
      input.checked = value === chosen;
      input.addEventListener("change", () => { pick(value); draw(); });
      label.append(input, text);
      set.append(label);
    }
  }

  function open(index) {
    state.record = index;
    view = decode(all.records[index]);
    const { one } = view;
    get("record").selectedIndex = index;
    get("previous").disabled = index === 0;
    get("next").disabled = index === all.records.length - 1;
    const names = one.classes.map((c) => c.name);
    state.name = names.includes(one.decided[0]) ? one.decided[0] : names[0];
    const methods = Object.keys(one.maps);
    if (!methods.includes(state.method)) state.method = methods[0];
    const pick = (name) => { state.name = name; get("key-class").textContent = name; };
    radios("class", one.classes.map((c) => ({
      value: c.name,
      text: `${c.name} (${c.p.toFixed(2)}${one.true.includes(c.name) ? ", label" : ""}${one.decided.includes(c.name) ? ", decided" : ""})`,
    })), state.name, pick);
    radios("method", methods.map((m) => ({ value: m, text: m })), state.method, (m) => { state.method = m; });
    pick(state.name);
    const list = (some) => some.join(" + ") || "none";
    get("told").textContent =
      `Record ${one.name}: label ${list(one.true)}, decided ${list(one.decided)}` +
      ` (${one.right ? "right" : "wrong"}); suspicion ${one.suspicion.toFixed(2)}.`;
    show(0, 1);
  }

  const groups = {};
  all.records.forEach((one) => {
    const option = document.createElement("option");
    option.textContent = `${one.name}: ${one.true.join(" + ") || "none"}${one.right ? "" : " → " + (one.decided.join(" + ") || "none")}`;
    if (!groups[one.kind]) {
      groups[one.kind] = document.createElement("optgroup");
      groups[one.kind].label = one.kind;
      get("record").append(groups[one.kind]);
    }
    groups[one.kind].append(option);
  });

  // A list beside the record; on a phone a menu above it.
  const narrow = window.matchMedia("(max-width: 48rem)");
  const fit = () => { get("record").size = narrow.matches ? 1 : 12; };
  narrow.addEventListener("change", fit);
  fit();
  get("record").addEventListener("change", (event) => open(event.target.selectedIndex));
  get("previous").addEventListener("click", () => open(Math.max(0, state.record - 1)));
  get("next").addEventListener("click", () => open(Math.min(all.records.length - 1, state.record + 1)));
  const keys = {
    "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7),
    ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
    Home: () => move(-1e9), End: () => move(1e9), 0: () => show(0, 1),
  };
  get("in").addEventListener("click", keys["+"]);
  get("out").addEventListener("click", keys["-"]);
  get("left").addEventListener("click", keys.ArrowLeft);
  get("right").addEventListener("click", keys.ArrowRight);
  get("whole").addEventListener("click", keys[0]);
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  canvas.addEventListener("wheel", (event) => {
    // Else the page could not be scrolled past the record.
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    const at = (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth;
    zoom(Math.exp(Math.sign(event.deltaY) * 0.22), at);
  }, { passive: false });
  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    dragged = { x: event.clientX, start: state.start };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const seen = state.end - state.start;
    show(dragged.start - ((event.clientX - dragged.x) / canvas.clientWidth) * seen, seen);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { dragged = null; });
  window.addEventListener("resize", draw);
  window.addEventListener("beforeprint", draw);
  open(0);
})();
