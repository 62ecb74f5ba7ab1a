(figure, { title, rows, spans, words, colours, names }) => {
  // Sizes are in the units of the picture, times in ms from its beginning.
  const left = 110, width = 700, row = 42, top = 26, bottom = top + row * rows.length;
  const end = Math.max(...spans.map((span) => span.end), 1);
  const closest = Math.min(end, Math.max(end / 1e5, 0.1));
  let from = 0, to = end;

  const make = (parent, name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return parent.appendChild(made);
  };
  const x = (time) => left + ((time - from) / (to - from)) * width;
  const inside = (time) => time >= from && time <= to;
  const number = (ms) => ms.toLocaleString("en", { maximumSignificantDigits: 4 });

  const mark = (svg, span) => {
    const colour = colours[span.kind], middle = top + row * (span.row + 0.5);
    const name = names[span.kind] + (span.failed ? " failed" : "");
    if (span.kind === "throttled" || span.kind === "shutdown") {
      if (!inside(span.start)) return;
      const at = x(span.start), style = { stroke: colour, "stroke-width": 2.5, fill: "none" };
      if (span.kind === "shutdown") make(svg, "path", { ...style, d: `M${at} ${middle - 13}v26` });
      else make(svg, "path", { ...style, d: `M${at - 4} ${middle - 4}l8 8m0-8l-8 8` });
      if (span.kind === "shutdown") make(svg, "text", { x: at + 6, y: middle + 4 }, name);
      return;
    }
    if (span.end < from || span.start > to) return;
    const begin = Math.max(x(span.start), left), stop = Math.min(x(span.end), left + width);
    const high = span.kind === "frozen" ? 7 : 26, size = Math.max(stop - begin, 0.5);
    const bar = make(svg, "rect", { x: begin, y: middle - high / 2, width: size, height: high, fill: colour });
    if (span.failed) bar.style.cssText = "stroke: white; stroke-width: 3; stroke-dasharray: 5 4";
    make(bar, "title", {}, `${name} ${number(span.end - span.start)} ms`);
    if (size < 50 + (span.failed ? 40 : 0)) return;
    const label = { x: begin + size / 2, y: middle + 4, "text-anchor": "middle" };
    if (span.kind === "frozen") make(svg, "text", { ...label, y: middle - 7 }, name);
    else make(svg, "text", { ...label, style: "fill: white", "pointer-events": "none" }, name);
  };

  const axis = (svg) => {
    const wide = (to - from) / 6, ten = 10 ** Math.floor(Math.log10(wide));
    const step = [1, 2, 5, 10].map((factor) => factor * ten).find((size) => size >= wide);
    make(svg, "path", { d: `M${left} ${bottom}h${width}`, stroke: "#767676", fill: "none" });
    for (let time = Math.ceil(from / step) * step; time <= to * (1 + 1e-9); time += step) {
      make(svg, "path", { d: `M${x(time)} ${bottom}v5`, stroke: "#767676", fill: "none" });
      make(svg, "text", { x: x(time), y: bottom + 19, "text-anchor": "middle" }, number(time));
    }
    make(svg, "text", { x: left + width / 2, y: bottom + 37, "text-anchor": "middle" }, "ms");
  };

  const draw = () => {
    picture.replaceChildren();
    rows.forEach((name, at) => {
      make(picture, "text", { x: left - 8, y: top + row * (at + 0.5) + 4, "text-anchor": "end" }, name);
    });
    spans.forEach((span) => mark(picture, span));
    axis(picture);
    shown.textContent = `${title}: ${number(from)} to ${number(to)} ms`;
  };
  const show = (start, size) => {
    size = Math.min(Math.max(size, closest), end);
    from = Math.min(Math.max(start, 0), end - size);
    to = from + size;
    draw();
  };
  const zoom = (factor, at = (from + to) / 2) => {
    const size = Math.min(Math.max((to - from) * factor, closest), end);
    show(at - ((at - from) / (to - from)) * size, size);
  };
  const move = (part) => show(from + (to - from) * part, to - from);

  const actions = [
    ["−", "Zoom out", ["-"], () => zoom(2)],
    ["+", "Zoom in", ["+", "="], () => zoom(0.5)],
    ["◀", "Earlier", ["ArrowLeft"], () => move(-0.25)],
    ["▶", "Later", ["ArrowRight"], () => move(0.25)],
    ["↔", "The whole timeline", ["0", "Home"], () => show(0, end)],
  ];
  const tools = document.createElement("div");
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "Timeline");
  for (const [sign, name, , act] of actions) {
    const button = tools.appendChild(document.createElement("button"));
    Object.assign(button, { type: "button", textContent: sign, title: name, onclick: act });
    button.setAttribute("aria-label", name);
  }
  const shown = tools.appendChild(document.createElement("output"));
  shown.style.cssText = "margin-left: 1em; font: 12px sans-serif; color: #767676";
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", `0 0 ${left + width + 30} ${bottom + 44}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", words);
  picture.style.cssText =
    "display: block; max-width: 880px; font: 12px sans-serif; fill: #767676; cursor: grab; touch-action: pan-y";
  figure.replaceChildren(tools, picture);

  const time = (event) => {
    const box = picture.getBoundingClientRect();
    const unit = ((event.clientX - box.left) / box.width) * (left + width + 30);
    return from + ((unit - left) / width) * (to - from);
  };
  let held = null;
  picture.onpointerdown = (event) => {
    held = time(event);
    picture.setPointerCapture(event.pointerId);
  };
  picture.onpointermove = (event) => held !== null && show(from + held - time(event), to - from);
  picture.onpointerup = picture.onpointercancel = () => (held = null);
  picture.ondblclick = (event) => zoom(0.5, time(event));
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event));
  }, { passive: false });
  figure.onkeydown = (event) => {
    const action = actions.find(([, , keys]) => keys.includes(event.key));
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action[3]();
  };
  draw();
}
