// Draws the figures of the report from the JSON in #data. Text that came from the user's file only ever becomes text:
// text nodes here, text of the SVG or the canvas in the charts.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const drawn = new Map(); // element of a chart → its ECharts instance
  const state = { metric: data.objective?.name.includes("accuracy") ? "accuracy" : "loss", picked: [], selected: null };
  const CROSS = "path://M2 0L5 3L8 0L10 2L7 5L10 8L8 10L5 7L2 10L0 8L3 5L0 2Z";
  const MANY = 400; // trials from which charts are drawn on a canvas: thousands of SVG nodes are slow

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const roundColour = (round) => colour(round + 1 < data.rounds ? "pale" : "accent");
  const leaderColours = () => ["accent", "gold", "green", "purple", "red", "ink"].map(colour);
  const written = (score) => data.objective.lower ? Number(score).toPrecision(3) : `${(100 * score).toFixed(1)} %`;
  const onScoreAxis = (score) => data.objective.scale === "log" ? Math.log10(score) : score;

  // A tooltip of plain lines, as a DOM node.
  function lines(...texts) {
    const node = document.createElement("div");
    texts.filter(Boolean).forEach((text, index) => {
      const line = node.appendChild(document.createElement(index ? "div" : "strong"));
      line.textContent = text;
      line.style.display = "block";
    });
    return node;
  }

  const text = () => ({ color: colour("muted"), fontSize: 11, fontFamily: "inherit" });
  const tooltip = (formatter) => ({
    trigger: "item", formatter, confine: true, backgroundColor: colour("card"), borderColor: colour("line"),
    textStyle: { color: colour("ink"), fontSize: 12 },
  });
  function axis(ends, extra = {}) {
    const names = new Map(ends.ticks.map(([place, name]) => [place, name]));
    const places = [...names.keys()];
    return {
      type: "value", min: ends.low, max: ends.high,
      axisLine: { lineStyle: { color: colour("line") } },
      axisTick: { show: false, customValues: places },
      axisLabel: { ...text(), customValues: places, hideOverlap: true, formatter: (value) => names.get(value) ?? "" },
      splitLine: { show: false },
      ...extra,
    };
  }
  function scoreAxis(withDiverged) {
    const ends = data.score, ticks = [...ends.ticks];
    if (!withDiverged) return axis(ends);
    const lower = data.objective.lower, room = Math.abs(ends.high - ends.low) * 0.06;
    return axis({
      low: lower ? ends.low : ends.beyond - room, high: lower ? ends.beyond + room : ends.high,
      ticks: [...ticks, [ends.beyond, "diverged"]],
    });
  }
  const grid = (extra = {}) => ({ left: 58, right: 14, top: 10, bottom: 26, ...extra });

  const draw = {
    axis(element) {
      const parameter = data.parameters[element.dataset.parameter];
      const { number, status, place, score, round } = data.trials;
      const groups = Array.from({ length: data.rounds }, () => []);
      const crosses = [];
      let best = null;
      number.forEach((trial, index) => {
        if (parameter.x[index] === null) return;
        if (status[index] === "diverged") crosses.push({ value: [parameter.x[index], data.score.beyond], index });
        if (place[index] === null) return;
        const point = { value: [parameter.x[index], place[index]], index };
        if (state.selected && !state.selected.has(trial)) point.itemStyle = { opacity: 0.12 };
        groups[Math.min(round[index], data.rounds - 1)].push(point);
        if (trial === data.best) best = point;
      });
      const size = number.length > MANY ? 5 : 8;
      const say = ({ data: { index } }) => lines(
        `Trial ${number[index]}`, `${parameter.label}: ${parameter.values[index]}`,
        score[index] === null ? "diverged" : `${data.objective.label}: ${written(score[index])}`,
      );
      return {
        grid: grid(), xAxis: axis(parameter), yAxis: scoreAxis(crosses.length > 0), tooltip: tooltip(say),
        series: [
          ...groups.map((points, index) => ({
            type: "scatter", data: points, symbolSize: size, itemStyle: { color: roundColour(index), opacity: 0.75 },
            markArea: index ? undefined : {
              silent: true, itemStyle: { color: colour("shade"), borderColor: colour("accent"), borderWidth: 1, borderType: "dashed" },
              data: parameter.boxes.map(([, low, high]) => [{ xAxis: low }, { xAxis: high }]),
            },
          })),
          { type: "scatter", data: crosses, symbol: CROSS, symbolSize: size, itemStyle: { color: colour("red") } },
          { type: "scatter", data: best ? [best] : [], symbol: "circle", symbolSize: size + 8, silent: true,
            itemStyle: { color: "transparent", borderColor: colour("gold"), borderWidth: 2.5 } },
        ],
      };
    },

    isolation(element) {
      const parameter = data.parameters[element.dataset.parameter], rows = parameter.isolation;
      const bars = rows.flatMap((row) => [[row.low, onScoreAxis(row.best)], [row.high, onScoreAxis(row.best)], [null, null]]);
      return {
        grid: grid(), xAxis: axis(parameter), yAxis: axis(data.isolation),
        tooltip: tooltip(({ data: { row } }) => lines(
          `${data.objective.label}: ${written(row.best)}`, `trial ${data.trials.number[row.trial]}, the best of ${row.count}`,
        )),
        series: [
          { type: "line", data: bars, showSymbol: false, silent: true, lineStyle: { color: colour("accent"), width: 3 } },
          { type: "scatter", symbolSize: 9, itemStyle: { color: colour("accent") },
            data: rows.map((row) => ({ value: [(row.low + row.high) / 2, onScoreAxis(row.best)], row })) },
        ],
      };
    },

    parallel(element) {
      const upright = element.clientWidth < 640;
      const { number, place } = data.trials;
      const shown = number.map((_, index) => index).filter((index) => place[index] !== null)
        .sort((a, b) => (place[b] - place[a]) * (data.objective.lower ? 1 : -1)); // the best last, on top
      const dims = [...data.parameters, { ...data.score, label: data.objective.label, x: place }];
      const style = (rank) => rank < 5 ? { color: colour("gold"), width: 2, opacity: 1 }
        : rank < shown.length / 4 ? { color: colour("accent"), width: 1.2, opacity: 0.7 }
        : { color: colour("muted"), width: 1, opacity: 0.25 };
      return {
        parallel: { left: upright ? 24 : 50, right: upright ? 24 : 60, top: upright ? 30 : 40, bottom: 30, layout: upright ? "vertical" : "horizontal" },
        parallelAxis: dims.map((dim, index) => ({
          ...axis(dim), dim: index, name: dim.label, nameLocation: "end", nameGap: 14, nameTextStyle: { ...text(), color: colour("ink") },
          areaSelectStyle: { width: 18, color: colour("accent"), borderColor: colour("accent"), opacity: 0.25 },
        })),
        series: [{
          type: "parallel", smooth: false, inactiveOpacity: 0.04, activeOpacity: 0.9,
          data: shown.map((index, order) => ({
            value: dims.map((dim) => dim.x[index] ?? "-"), index, lineStyle: style(shown.length - 1 - order),
          })),
        }],
      };
    },

    curves() {
      const colours = leaderColours(), series = [];
      [...data.leaders, ...state.picked].forEach((trial, order) => {
        const rows = data.curves[trial];
        if (!rows) return;
        for (const [name, type, width] of [[`val_${state.metric}`, "solid", 2], [state.metric, "dotted", 1]]) {
          const points = (rows[name] ?? []).map((value, index) => [rows.epochs ? rows.epochs[index] : index + 1, value]);
          series.push({ type: "line", name: `Trial ${trial}`, data: points, showSymbol: false, lineStyle: { color: colours[order % 6], type, width }, itemStyle: { color: colours[order % 6] } });
        }
      });
      return {
        grid: grid(), xAxis: { type: "value", min: 1, axisLabel: text(), splitLine: { show: false }, minInterval: 1 },
        yAxis: { type: state.metric === "loss" ? "log" : "value", axisLabel: text(), splitLine: { lineStyle: { color: colour("line") } }, scale: true },
        series,
      };
    },

    trials: () => progress((row, index) => index + 1),
    seconds: () => progress((row) => row.seconds),
  };

  function progress(x) {
    const rows = data.progress.map((row, index) => ({ ...row, x: x(row, index) })).filter((row) => row.x !== null);
    return {
      grid: grid(), xAxis: { type: "value", axisLabel: text(), splitLine: { show: false } }, yAxis: axis(data.score),
      series: [
        { type: "scatter", symbolSize: 5, itemStyle: { color: colour("pale") }, data: rows.filter((row) => row.score !== null).map((row) => [row.x, onScoreAxis(row.score)]) },
        { type: "line", step: "end", showSymbol: false, lineStyle: { color: colour("accent"), width: 2 }, data: rows.filter((row) => row.best !== null).map((row) => [row.x, onScoreAxis(row.best)]) },
      ],
    };
  }

  function show(element) {
    let chart = drawn.get(element);
    if (!chart) {
      const many = (data.trials?.number.length ?? 0) > MANY;
      chart = echarts.init(element, null, { renderer: many ? "canvas" : "svg" });
      drawn.set(element, chart);
    }
    chart.setOption({ animation: false, ...draw[element.dataset.chart](element) }, { notMerge: true });
    element.dataset.drawn = "";
    return chart;
  }

  const figures = [...document.querySelectorAll("[data-chart]")];
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) { watcher.unobserve(target); show(target); }
    }
  }, { rootMargin: "300px" });
  figures.forEach((element) => watcher.observe(element));
})();
