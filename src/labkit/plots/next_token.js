(figure, { text, words, colour, bars, tokens, remaining }) => {
  const left = 150, width = 480, row = 24, height = bars * row + 8;

  const make = (parent, name, attributes, content) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (content !== undefined) made.textContent = content;
    return parent.appendChild(made);
  };
  const tools = document.createElement("div");
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "Sampling");
  const slider = (name, least) => {
    const label = tools.appendChild(document.createElement("label"));
    label.style.cssText = "margin-right: 1.5em; font: 12px sans-serif; color: #767676";
    label.append(`${name} `);
    const input = label.appendChild(document.createElement("input"));
    Object.assign(input, { type: "range", min: least, max: 1, step: 0.05, value: 1, oninput: () => draw() });
    input.setAttribute("aria-label", name);
    return input;
  };
  const temperature = slider("temperature", 0), topP = slider("top-p", 0.05);
  const shown = tools.appendChild(document.createElement("output"));
  shown.style.cssText = "font: 12px sans-serif; color: #767676";
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", `0 0 ${left + width + 60} ${height}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", words);
  picture.style.cssText = "display: block; max-width: 720px; font: 13px monospace; fill: #767676";
  figure.replaceChildren(tools, picture);

  const probabilities = (t) => {
    if (t === 0) return tokens.map((_, place) => (place ? 0 : 1));
    // Each to the power of 1/t. Those that are not listed are no likelier than the last one that is.
    const raised = tokens.map(([, p]) => p ** (1 / t));
    const rest = remaining * tokens.at(-1)[1] ** (1 / t - 1);
    const sum = raised.reduce((a, b) => a + b, rest);
    return raised.map((p) => p / sum);
  };
  const draw = () => {
    const t = Number(temperature.value), most = Number(topP.value), likely = probabilities(t);
    let kept = 0, sum = 0;
    while (kept < likely.length && sum < most - 1e-9 && likely[kept] > 0) sum += likely[kept++];
    const all = most === 1 && t > 0;
    picture.replaceChildren();
    likely.slice(0, bars).forEach((p, place) => {
      const inside = place < kept || all, value = inside ? (all ? p : p / sum) : 0, y = 4 + place * row;
      const name = JSON.stringify(tokens[place][0]);
      make(picture, "text", { x: left - 8, y: y + 15, "text-anchor": "end" }, name);
      make(picture, "rect", { x: left, y: y + 3, width: Math.max(value * width, 0.5), height: row - 7, fill: colour });
      make(picture, "text", { x: left + value * width + 6, y: y + 15 }, inside ? value.toFixed(2) : "cut");
    });
    const count = all ? "every token has a chance" : kept === 1 ? "1 token is left" : `${kept} tokens are left`;
    shown.textContent = `temperature ${t}, top-p ${most}: ${count}`;
  };
  draw();
}
