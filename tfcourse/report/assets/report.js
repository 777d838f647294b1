// Puts the figures into the page: draws them when they come into view, again when the colours change, and for print;
// lets the reader brush, and pick trials. What came from the user's file is only ever put in as text.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const drawn = new Map(); // element of a figure → its chart
  const MANY = 400; // trials from which figures are drawn on a canvas: thousands of SVG nodes are slow
  const state = {
    metric: data.objective.name.replace("val_", ""), // of the learning curves
    shown: (data.leaders ?? []).filter((trial) => data.curves[trial]), // trials whose curves are drawn
    selected: null, // trials that the brush keeps; null without a brush
  };

  const draw = {
    parameter: (element, theme) => charts.parameter(data, theme, state, Number(element.dataset.number)),
    parallel: (element, theme) => charts.parallel(data, theme, state, element.clientWidth),
    curves: (element, theme) => charts.curves(data, theme, state),
    trials: (element, theme) => charts.progress(data, theme, "trials"),
    seconds: (element, theme) => charts.progress(data, theme, "seconds"),
    enough: (element, theme) => charts.enough(data, theme),
    importance: (element, theme) => charts.importance(data, theme),
    columns: (element, theme) => charts.columns(data, theme),
    dependence: (element, theme) => charts.dependence(data, theme, Number(element.dataset.number)),
    intervals: (element, theme) => charts.intervals(data, theme),
    reliability: (element, theme) => charts.reliability(data, theme),
    confusion: (element, theme) => charts.confusion(data, theme),
    "runs-trials": (element, theme) => charts.runs(data, theme, "trials"),
    "runs-seconds": (element, theme) => charts.runs(data, theme, "seconds"),
  };

  function theme() {
    const style = getComputedStyle(root);
    const names = ["ink", "muted", "line", "card", "accent", "gold", "green", "purple", "red", "shade"];
    return { ...Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])), font: getComputedStyle(document.body).fontFamily };
  }

  function show(element) {
    let chart = drawn.get(element);
    if (!chart) {
      const renderer = (data.trials?.number.length ?? 0) > MANY ? "canvas" : "svg";
      chart = echarts.init(element, null, { renderer });
      drawn.set(element, chart);
      element.chart = chart; // for the browser's console
      listen(element, chart);
    }
    chart.setOption({ animation: false, ...draw[element.dataset.chart](element, theme()) }, { notMerge: true });
    element.dataset.drawn = "";
  }

  function showAgain(kind) {
    for (const element of drawn.keys()) if (!kind || element.dataset.chart === kind) show(element);
  }

  // Brushing and picking.
  function listen(element, chart) {
    if (["parameter", "trials", "seconds", "parallel"].includes(element.dataset.chart)) {
      chart.on("click", ({ data: point }) => {
        if (point?.row && !("index" in point)) pick(point.row.trial);
        else if (point && "index" in point) pick(data.trials.number[point.index]);
      });
    }
    if (element.dataset.chart === "parallel") {
      chart.on("axisareaselected", () => {
        const series = chart.getModel().getSeriesByIndex(0);
        const option = chart.getOption();
        const brushed = option.parallelAxis.some((axis) => chart.getModel().getComponent("parallelAxis", axis.dim)?.activeIntervals?.length);
        const kept = series.getRawIndicesByActiveState("active").map((raw) => data.trials.number[option.series[0].data[raw].index]);
        brush(brushed ? kept : null, option.series[0].data.length);
      });
    }
  }

  let waiting = 0;
  function brush(kept, total) {
    state.selected = kept && new Set(kept);
    const best = kept?.at(-1); // the lines lie in the order of their scores
    find("brushed").textContent = !kept ? "" : kept.length
      ? `${kept.length} of ${total} trials kept; the best of them is trial ${best} with ${data.objective.label} ${charts.score(data, data.trials.score[data.trials.number.indexOf(best)])}.`
      : `None of ${total} trials kept.`;
    find("clear").hidden = !kept;
    clearTimeout(waiting);
    waiting = setTimeout(() => showAgain("parameter"), 120);
  }

  function pick(trial) {
    const known = data.curves[trial];
    if (known && !state.shown.includes(trial)) state.shown.push(trial);
    find("picked").textContent = known ? `Trial ${trial} is among the learning curves.` : `There are no learning curves of trial ${trial} in this page.`;
    chips();
    showAgain("curves");
  }

  // The legend of the learning curves: a button a trial, which takes it away.
  function chips() {
    const list = find("chips"), colours = charts.lineColours(theme());
    if (!list) return;
    list.replaceChildren(...state.shown.map((trial, order) => {
      const button = document.createElement("button");
      const line = button.appendChild(document.createElement("i"));
      line.style.background = colours[order % colours.length];
      const place = data.trials.number.indexOf(trial), score = data.trials.score[place];
      button.append(`trial ${trial}, ${score === null ? data.trials.status[place] : charts.score(data, score)}`);
      button.type = "button";
      button.title = "Take away";
      button.addEventListener("click", () => {
        state.shown = state.shown.filter((other) => other !== trial);
        chips();
        showAgain("curves");
      });
      return button;
    }));
  }

  if (find("chips")) {
    chips();
    find("pick").addEventListener("submit", (event) => {
      event.preventDefault();
      pick(Number(find("trial").value));
    });
    for (const input of document.querySelectorAll("input[name=metric]")) {
      input.checked = input.value === state.metric;
      input.addEventListener("change", () => {
        state.metric = input.value;
        showAgain("curves");
      });
    }
    find("clear").addEventListener("click", () => {
      const element = document.querySelector("[data-chart=parallel]");
      drawn.get(element).dispose();
      drawn.delete(element);
      show(element);
      brush(null, 0);
    });
  }

  // When to draw.
  const figures = [...document.querySelectorAll("[data-chart]")];
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        watcher.unobserve(target);
        if (!drawn.has(target)) show(target);
      }
    }
  }, { rootMargin: "400px" });
  figures.forEach((element) => watcher.observe(element));

  let resizing = 0, width = window.innerWidth;
  function fit() {
    for (const [element, chart] of drawn) {
      chart.resize();
      if (element.dataset.chart === "parallel") show(element); // it stands upright where it is narrow
    }
  }
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return; // a phone's bar came or went
    width = window.innerWidth;
    clearTimeout(resizing);
    resizing = setTimeout(fit, 150);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { showAgain(); chips(); });
  window.addEventListener("beforeprint", () => {
    root.classList.add("printing"); // light, and as wide as paper
    for (const details of document.querySelectorAll("details")) details.open = true;
    figures.forEach(show);
    chips();
    fit();
  });
  window.addEventListener("afterprint", () => {
    root.classList.remove("printing");
    showAgain();
    chips();
    fit();
  });
})();
