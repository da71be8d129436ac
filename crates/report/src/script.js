(() => {
  "use strict";
  const NS = "http://www.w3.org/2000/svg";
  const data = JSON.parse(document.getElementById("data").textContent);
  const percent = v => {
    const p = v * 100;
    return (v < 1 ? Math.min(p, 99.99) : p).toFixed(v < 1 && p >= 99.95 ? 2 : 1) + "\u00a0%";
  };
  const number = v => {
    const a = Math.abs(v);
    if (a === 0) return "0";
    const t = a < 1e-4 || a >= 1e6 ? v.toExponential(3).replace("e+", "e")
      : v.toFixed(Math.min(7, Math.max(0, 3 - Math.floor(Math.log10(a)))));
    return t.replace("-", "\u2212").replace("e\u2212", "e-");
  };
  const show = (col, i) => {
    const v = col.v[i];
    return v === null ? "–" : typeof v === "string" ? v : col.share ? percent(v) : number(v);
  };
  const charts = [...document.querySelectorAll("svg.chart")].map(svg => ({
    svg,
    x: svg.dataset.x.split(" ").map(Number),
    y: svg.dataset.y.split(" ").map(Number),
    cursor: svg.querySelector(".cursor"),
    keys: [...svg.closest("figure").querySelectorAll("b[data-v]")],
  }));
  const place = (c, v) => {
    const [lo, hi, a, b, log] = c.y;
    const share = log ? Math.log(v / lo) / Math.log(hi / lo) : (v - lo) / (hi - lo);
    return a + share * (b - a);
  };
  const add = (parent, name, attributes) => {
    const node = parent.appendChild(document.createElementNS(NS, name));
    for (const k in attributes) node.setAttribute(k, attributes[k]);
    return node;
  };
  const texts = [...document.querySelectorAll("b[data-v], .at")].map(node => [node, node.textContent]);
  let at = null;
  const point = i => {
    at = i;
    for (const node of document.querySelectorAll("b[data-v]")) {
      const col = data.cols[node.dataset.v];
      if (col) node.textContent = show(col, i);
    }
    for (const node of document.querySelectorAll(".at")) node.textContent = data.unit + " " + data.x[i];
    for (const c of charts) {
      const [x0, x1, left, right] = c.x;
      const x = left + (data.x[i] - x0) / (x1 - x0) * (right - left);
      c.cursor.textContent = "";
      add(c.cursor, "line", { x1: x, x2: x, y1: c.y[3], y2: c.y[2] });
      for (const key of c.keys) {
        const v = data.cols[key.dataset.v]?.v[i];
        const y = typeof v === "number" ? place(c, v) : NaN;
        const kind = key.parentNode.className.replace("key ", "");
        if (y >= c.y[3] - 4 && y <= c.y[2] + 4) add(c.cursor, "circle", { cx: x, cy: y, r: 4, class: kind });
      }
    }
  };
  const leave = () => {
    at = null;
    for (const [node, text] of texts) node.textContent = text;
    for (const c of charts) c.cursor.textContent = "";
  };
  const nearest = target => data.x.reduce((best, x, i) => Math.abs(x - target) < Math.abs(data.x[best] - target) ? i : best, 0);
  if (data.x.length) for (const c of charts) {
    c.svg.addEventListener("pointermove", e => {
      const box = c.svg.getBoundingClientRect();
      const [x0, x1, left, right] = c.x;
      const u = (e.clientX - box.left) / box.width * c.svg.viewBox.baseVal.width;
      point(nearest(x0 + (u - left) / (right - left) * (x1 - x0)));
    });
    c.svg.addEventListener("pointerleave", leave);
    c.svg.addEventListener("blur", leave);
    c.svg.addEventListener("keydown", e => {
      const last = data.x.length - 1;
      const from = at === null ? last : at;
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[e.key];
      if (to === undefined) return;
      e.preventDefault();
      point(Math.max(0, Math.min(last, to)));
    });
  }
  const fine = document.getElementById("matrix");
  if (fine) {
    const { names, cells } = JSON.parse(fine.textContent);
    const svg = document.querySelector("svg.matrix");
    const [left, top, cell, n] = svg.dataset.grid.split(" ").map(Number);
    const counts = new Map();
    for (let i = 0; i < cells.length; i += 3) counts.set(cells[i] * n + cells[i + 1], cells[i + 2]);
    const caption = svg.parentNode.querySelector("figcaption");
    const words = caption.textContent + " Point at a cell for its count.";
    caption.textContent = words;
    const pick = add(svg, "rect", { class: "pick", width: cell, height: cell, visibility: "hidden" });
    const clear = () => {
      caption.textContent = words;
      pick.setAttribute("visibility", "hidden");
    };
    svg.addEventListener("pointermove", e => {
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const p = Math.floor(((e.clientX - box.left) * scale - left) / cell);
      const t = Math.floor(((e.clientY - box.top) * scale - top) / cell);
      if (t < 0 || p < 0 || t >= n || p >= n) return clear();
      const count = counts.get(t * n + p) || 0;
      caption.textContent = t === p ? `${names[t]}: ${count} right` : `${names[t]} taken for ${names[p]}: ${count}`;
      pick.setAttribute("x", left + p * cell);
      pick.setAttribute("y", top + t * cell);
      pick.setAttribute("visibility", "visible");
    });
    svg.addEventListener("pointerleave", clear);
  }
  for (const command of document.querySelectorAll(".command")) {
    if (!navigator.clipboard) break;
    const button = command.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.querySelector("code").textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
})();
