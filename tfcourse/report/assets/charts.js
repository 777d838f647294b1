// The figures as ECharts options: functions of the page's data, the theme's colours and what the reader picked.
// Nothing here touches the page but for tooltips, whose text is put in as text nodes.
"use strict";
const charts = (() => {
  const { placer, percent, tickPercent, short, score, lines, tooltip, axis, ticksBetween, written, axisAround, faint, name } = scales;
  const CROSS = "path://M2 0L5 3L8 0L10 2L7 5L10 8L8 10L5 7L2 10L0 8L3 5L0 2Z";
  const MANY = 400; // trials from which marks are drawn small

  // One hyperparameter: above every trial, below the best of each part of its range.
  function parameter(data, theme, state, number) {
    const own = data.parameters[number], { trials } = data;
    const earlier = [], last = [], crosses = [], best = [];
    trials.number.forEach((trial, index) => {
      const x = own.x[index];
      if (x === null) return;
      const dim = state.selected && !state.selected.has(trial) ? { itemStyle: { opacity: 0.1 } } : {};
      if (trials.status[index] === "diverged") crosses.push({ value: [x, data.score.beyond], index, ...dim });
      if (trials.place[index] === null) return;
      const point = { value: [x, trials.place[index]], index, ...dim };
      (trials.round[index] + 1 < data.rounds ? earlier : last).push(point);
      if (trial === data.best) best.push({ value: point.value });
    });
    const room = 0.05 * (data.score.high - data.score.low);
    const withDiverged = data.objective.lower
      ? { ...data.score, high: data.score.beyond + room }
      : { ...data.score, low: data.score.beyond - room };
    const size = trials.number.length > MANY ? 5 : 8;
    const say = ({ data: point }) => point.row ? lines(
      `${data.objective.label} ${score(data, point.row.best)}`, `trial ${trials.number[point.row.trial]}, best of ${point.row.count} here`,
    ) : lines(
      `Trial ${trials.number[point.index]}`, `${own.label} ${short(own.values[point.index])}`,
      trials.score[point.index] === null ? "diverged" : `${data.objective.label} ${score(data, trials.score[point.index])}`,
      data.rounds > 1 && `round ${trials.round[point.index] + 1}`,
    );
    const top = (row) => Math.min(trials.place[row.trial], data.isolation.high);
    const steps = own.isolation.flatMap((row) => [[row.low, top(row)], [row.high, top(row)], [null, null]]);
    const onBelow = { xAxisIndex: 1, yAxisIndex: 1 };
    const bottom = axis(theme, own), category = own.scale === "choice";
    return {
      tooltip: tooltip(theme, say),
      grid: [{ left: 62, right: 12, top: 8, height: "54%" }, { left: 62, right: 12, bottom: 28, height: "25%" }],
      xAxis: [
        { ...bottom, axisLabel: { show: false }, axisTick: { ...bottom.axisTick, show: !category } },
        { ...bottom, gridIndex: 1, axisTick: { ...bottom.axisTick, show: !category } },
      ],
      yAxis: [
        axis(theme, { ...withDiverged, ticks: [...data.score.ticks, ...(data.diverged ? [[data.score.beyond, "diverged"]] : [])] }, faint(theme)),
        axis(theme, data.isolation, { gridIndex: 1, ...faint(theme) }),
      ],
      series: [
        { type: "scatter", name: "earlier rounds", data: earlier, symbolSize: size, itemStyle: { color: "rgba(0, 0, 0, 0)", borderColor: theme.accent, borderWidth: 1.2, opacity: 0.75 } },
        {
          type: "scatter", name: "last round", data: last, symbolSize: size, itemStyle: { color: theme.accent, opacity: 0.75 },
          markArea: {
            silent: true, itemStyle: { color: theme.shade, borderColor: theme.accent, borderWidth: 1, borderType: "dashed" },
            data: own.boxes.map(([, low, high]) => [{ xAxis: low }, { xAxis: high }]),
          },
        },
        { type: "scatter", name: "diverged", data: crosses, symbol: CROSS, symbolSize: size, itemStyle: { color: theme.red, opacity: 0.85 } },
        { type: "scatter", name: "best", data: best, symbolSize: size + 9, silent: true, z: 5, itemStyle: { color: "rgba(0, 0, 0, 0)", borderColor: theme.gold, borderWidth: 2.5 } },
        { type: "line", name: "best of each part", ...onBelow, data: steps, showSymbol: false, silent: true, lineStyle: { color: theme.accent, width: 3, cap: "butt" } },
        {
          type: "scatter", name: "best of each part", ...onBelow, symbolSize: 7, itemStyle: { color: theme.accent },
          data: own.isolation.map((row) => ({ value: [(row.low + row.high) / 2, top(row)], row, index: row.trial })),
        },
      ],
    };
  }

  // Every completed trial as a line through all hyperparameters; drag along an axis to keep a part of the lines.
  function parallel(data, theme, state, width) {
    const upright = width < 600;
    const { trials } = data;
    const sign = data.objective.lower ? 1 : -1;
    const shown = trials.number.map((_, index) => index).filter((index) => trials.place[index] !== null)
      .sort((a, b) => sign * (trials.place[b] - trials.place[a])); // the best last, so on top
    const dims = [...data.parameters, { ...data.score, label: data.objective.label, x: trials.place }];
    const many = shown.length > MANY;
    const style = (rank) => rank < 5 ? { color: theme.gold, width: 2.2, opacity: 1 }
      : rank < shown.length / 5 ? { color: theme.accent, width: many ? 0.8 : 1.3, opacity: many ? 0.35 : 0.7 }
      : { color: theme.muted, width: many ? 0.5 : 0.8, opacity: many ? 0.1 : 0.3 };
    const label = { color: theme.ink, textBorderColor: theme.card, textBorderWidth: 3 };
    return {
      tooltip: tooltip(theme, ({ data: line }) => lines(`Trial ${trials.number[line.index]}`, `${data.objective.label} ${score(data, trials.score[line.index])}`)),
      parallel: upright
        ? { left: 20, right: 24, top: 30, bottom: 30, layout: "vertical" }
        : { left: 44, right: 64, top: 66, bottom: 14, layout: "horizontal" },
      parallelAxis: dims.map((dim, index) => ({
        ...axis(theme, dim, { axisLabel: label }), dim: index, name: upright ? dim.label : dim.label.replaceAll(" ", "\n"),
        axisLine: { show: true, lineStyle: { color: theme.muted } },
        nameLocation: upright ? "start" : "end", nameGap: upright ? -4 : 12,
        nameTextStyle: { color: theme.ink, fontSize: upright || width / dims.length > 70 ? 12 : width / dims.length > 50 ? 9 : 7.5, lineHeight: 14, fontFamily: theme.font, ...(upright && { align: "left", verticalAlign: "bottom", padding: [0, 0, 8, 0] }) },
        areaSelectStyle: { width: 20, color: theme.accent, borderColor: theme.accent, borderWidth: 1, opacity: 0.25 },
      })),
      series: [{
        type: "parallel", smooth: false, inactiveOpacity: 0.03, activeOpacity: 0.9,
        data: shown.map((index, order) => ({ value: dims.map((dim) => dim.x[index] ?? "-"), index, lineStyle: style(shown.length - 1 - order) })),
      }],
    };
  }

  // The colours of learning curves, in order: leaders first, then what the reader adds.
  const lineColours = (theme) => [theme.accent, theme.gold, theme.green, theme.purple, theme.red, theme.ink];

  function curves(data, theme, state) {
    const colours = lineColours(theme), series = [], values = [];
    const scale = state.metric === "loss" ? "log" : "linear", place = placer(scale);
    let epochs = 1;
    state.shown.forEach((trial, order) => {
      const rows = data.curves[trial];
      const color = colours[order % colours.length];
      const epoch = (index) => rows.epochs ? rows.epochs[index] : index + 1;
      for (const [metric, type, width] of [[`val_${state.metric}`, "solid", 2.2], [state.metric, [2, 3], 1.3]]) {
        const points = (rows?.[metric] ?? []).map((value, index) => ({ value: [epoch(index), place(value)], trial, metric, raw: value }));
        if (!points.length) continue;
        values.push(...points.map((point) => point.raw));
        epochs = Math.max(epochs, points.at(-1).value[0]);
        series.push({ type: "line", name: metric, data: points, symbol: "circle", symbolSize: 5, showSymbol: false, lineStyle: { color, type, width }, itemStyle: { color } });
        const best = points.find((point) => metric.startsWith("val_") && point.value[0] === rows.best);
        if (best) series.push({ type: "scatter", name: "best epoch", data: [best], symbolSize: 9, itemStyle: { color, borderColor: theme.card, borderWidth: 1.5 }, z: 4 });
      }
    });
    const write = (value) => state.metric === "loss" ? short(value) : percent(value);
    const writeTick = state.metric === "loss" ? short : tickPercent;
    const end = Math.max(epochs, 2), ticks = ticksBetween(1, end, "linear").filter((tick) => Number.isInteger(tick));
    return {
      grid: { left: 62, right: 16, top: 10, bottom: 44 },
      tooltip: tooltip(theme, ({ data: point }) => lines(`Trial ${point.trial}, epoch ${point.value[0]}`, `${point.metric.startsWith("val_") ? "validation" : "training"} ${state.metric} ${write(point.raw)}`)),
      xAxis: axis(theme, { low: 1, high: end, ticks: [...new Set([1, ...ticks])].map((tick) => [tick, String(tick)]) }, name(theme, "epoch")),
      yAxis: axisAround(theme, values, scale, writeTick, faint(theme)),
      series,
    };
  }

  // A score as far as it is drawn: a loss much worse than guessing lies at the upper edge.
  const seenOf = (data) => (value) => data.objective.lower ? Math.min(value, data.beyond.above) : value;

  // The best score so far, against trials or seconds.
  function progress(data, theme, by) {
    const place = placer(data.objective.scale), seen = seenOf(data), write = data.objective.lower ? short : tickPercent;
    const rows = data.progress.map((row, index) => ({ ...row, x: by === "seconds" ? row.seconds : index + 1 })).filter((row) => row.x !== null);
    const end = rows.length ? rows.at(-1).x : 1;
    const ticks = ticksBetween(0, end, "linear").map((tick) => [tick, String(tick)]);
    const baseline = place(data.baseline), scored = rows.filter((row) => row.score !== null);
    return {
      grid: { left: 62, right: 16, top: 12, bottom: 44 },
      tooltip: tooltip(theme, ({ data: { row } }) => row && lines(`Trial ${row.trial}`, `${data.objective.label} ${score(data, row.score)}`, row.seconds !== null && `after ${short(row.seconds)} s`)),
      xAxis: axis(theme, { low: 0, high: end * 1.02, ticks }, name(theme, by === "seconds" ? "seconds of searching" : "trials ended")),
      yAxis: axisAround(theme, [...scored.map((row) => seen(row.score)), data.baseline], data.objective.scale, write, faint(theme)),
      series: [
        { type: "scatter", name: "trials", symbolSize: rows.length > MANY ? 3 : 6, itemStyle: { color: theme.muted, opacity: rows.length > MANY ? 0.35 : 0.5 },
          data: scored.map((row) => ({ value: [row.x, place(seen(row.score))], row })) },
        { type: "line", name: "best so far", step: "end", showSymbol: false, silent: true, lineStyle: { color: theme.accent, width: 2.5 },
          data: rows.filter((row) => row.best !== null).map((row) => [row.x, place(seen(row.best))]),
          markLine: baseline === null ? undefined : {
            silent: true, symbol: "none", lineStyle: { color: theme.gold, type: "dashed", width: 1.5 }, data: [{ yAxis: baseline }],
            label: { formatter: "softmax regression", position: data.objective.lower ? "insideEndTop" : "insideEndBottom", color: theme.gold, fontSize: 12, fontFamily: theme.font, textBorderColor: theme.card, textBorderWidth: 3 },
          } },
      ],
    };
  }

  // The best score that a search of so many trials may expect, with the middle 95 % of what the bootstrap gave.
  function enough(data, theme) {
    const { rows } = data.enough, place = placer(data.objective.scale);
    const low = rows.map((row) => [row.k, place(row.low)]), gap = rows.map((row) => [row.k, place(row.high) - place(row.low)]);
    const write = data.objective.lower ? short : tickPercent;
    const most = rows.at(-1).k, seen = seenOf(data);
    return {
      grid: { left: 62, right: 16, top: 12, bottom: 44 },
      tooltip: tooltip(theme, ({ data: { row } }) => row && lines(`Best of ${row.k} trials: ${score(data, row.expected)}`, `95 % of searches: ${score(data, row.low)} to ${score(data, row.high)}`)),
      xAxis: axis(theme, { low: Math.min(1, most), high: most, ticks: [...new Set([1, ...ticksBetween(0, most, "linear").filter((tick) => tick > 0 && Number.isInteger(tick))])].map((tick) => [tick, String(tick)]) }, name(theme, "trials")),
      yAxis: axisAround(theme, rows.flatMap((row) => [row.low, seen(row.high)]), data.objective.scale, write, faint(theme)),
      series: [
        { type: "line", data: low, stack: "band", stackStrategy: "all", showSymbol: false, silent: true, lineStyle: { opacity: 0 } },
        { type: "line", data: gap, stack: "band", stackStrategy: "all", showSymbol: false, silent: true, lineStyle: { opacity: 0 }, areaStyle: { color: theme.accent, opacity: 0.18 } },
        { type: "line", name: "expected", data: rows.map((row) => ({ value: [row.k, place(row.expected)], row })), symbol: "circle", symbolSize: 6, showSymbol: rows.length < 40, lineStyle: { color: theme.accent, width: 2.5 }, itemStyle: { color: theme.accent } },
      ],
    };
  }

  // Importance of each hyperparameter, and of each column of the table, with its interval.
  const importance = (data, theme) => intervalBars(data.importance, theme, tickPercent, percent);
  const columns = (data, theme) => intervalBars(data.columns, theme, short, (value) => value.toPrecision(3));

  function intervalBars(of, theme, onAxis, write) {
    const rows = [...of].reverse();
    const low = Math.min(0, ...rows.map((row) => row.low)), high = Math.max(...rows.map((row) => row.high), 1e-9);
    const ticks = written(ticksBetween(low, high, "linear"), onAxis);
    const category = rows.map((row) => row.label);
    const also = (row) => row.accuracy !== undefined && `accuracy ${row.accuracy < 0 ? "+" : "−"}${percent(Math.abs(row.accuracy))}`;
    return {
      grid: { left: 8, right: 16, top: 4, bottom: 26, containLabel: true },
      tooltip: tooltip(theme, ({ dataIndex }) => lines(rows[dataIndex].label, `${write(rows[dataIndex].mean)}, interval ${write(rows[dataIndex].low)} to ${write(rows[dataIndex].high)}`, also(rows[dataIndex]))),
      xAxis: axis(theme, { low, high: high * 1.04, ticks }, faint(theme)),
      yAxis: { type: "category", data: category, axisTick: { show: false }, axisLine: { lineStyle: { color: theme.line } }, axisLabel: { color: theme.ink, fontSize: 12, fontFamily: theme.font, interval: 0 } },
      series: [
        { type: "bar", name: "importance", data: rows.map((row) => row.mean), barWidth: "55%", itemStyle: { color: theme.accent, opacity: 0.85, borderRadius: [0, 2, 2, 0] } },
        ...rows.map((row, index) => ({ type: "line", silent: true, symbol: "rect", symbolSize: [2, 9], data: [[row.low, index], [row.high, index]], lineStyle: { color: theme.ink, width: 1.5 }, itemStyle: { color: theme.ink }, z: 4 })),
      ],
    };
  }

  // The average probability of classes by the value of a column: lines by numbers and moments, marks by categories.
  function dependence(data, theme, number) {
    const own = data.dependence[number], byNumber = own.kind === "number", several = own.lines.length > 1;
    const colours = [theme.accent, theme.gold, theme.green, theme.purple];
    const high = Math.max(...own.lines.flatMap((line) => line.values)), low = Math.min(...own.lines.flatMap((line) => line.values));
    const room = Math.max(0.08 * (high - low), 0.01), from = Math.max(0, low - room), to = Math.min(1, high + room);
    const at = (index) => byNumber ? short(own.values[index]) : own.values[index];
    const bottom = byNumber ? axis(theme, own.axis) : {
      type: "category", data: own.values, axisTick: { show: false }, axisLine: { lineStyle: { color: theme.line } },
      axisLabel: { color: theme.muted, fontSize: 11, fontFamily: theme.font, interval: own.kind === "date" ? "auto" : 0, rotate: own.kind === "date" ? 0 : 30, width: 70, overflow: "truncate", hideOverlap: own.kind === "date" },
    };
    return {
      grid: { left: 48, right: 16, top: several ? 30 : 12, bottom: byNumber || own.kind === "date" ? 28 : 52 },
      legend: { show: several, top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: theme.muted, fontSize: 11, fontFamily: theme.font } },
      tooltip: tooltip(theme, ({ seriesName, dataIndex, value }) => lines(`${own.label} ${at(dataIndex)}`, `${seriesName}: ${percent(byNumber ? value[1] : value)}`)),
      xAxis: bottom,
      yAxis: axis(theme, { low: from, high: to, ticks: written(ticksBetween(from, to, "linear"), tickPercent) }, faint(theme)),
      series: own.lines.map((line, index) => ({
        type: own.kind === "category" ? "scatter" : "line", name: line.name, symbol: "circle", symbolSize: own.kind === "category" ? 9 : 5,
        data: byNumber ? line.values.map((value, place) => [own.values[place], value]) : line.values,
        lineStyle: { color: colours[index], width: 2.2 }, itemStyle: { color: colours[index] },
      })),
    };
  }

  // Accuracies of several runs with their intervals.
  function intervals(data, theme) {
    const rows = [...data.intervals].reverse();
    const low = Math.min(...rows.map((row) => row.low)), high = Math.max(...rows.map((row) => row.high));
    const room = 0.1 * (high - low) || 0.01;
    const ticks = written(ticksBetween(low - room, Math.min(1, high + room), "linear"), tickPercent);
    return {
      grid: { left: 8, right: 16, top: 4, bottom: 26, containLabel: true },
      tooltip: tooltip(theme, ({ data: { row } }) => row && lines(row.label, `${percent(row.mean)}, interval ${percent(row.low)} to ${percent(row.high)}`)),
      xAxis: axis(theme, { low: low - room, high: high + room, ticks }, faint(theme)),
      yAxis: { type: "category", data: rows.map((row) => row.label), axisTick: { show: false }, axisLine: { lineStyle: { color: theme.line } }, axisLabel: { color: theme.ink, fontSize: 12, fontFamily: theme.font, interval: 0, width: 160, overflow: "truncate" } },
      series: [
        ...rows.map((row, index) => ({ type: "line", silent: true, symbol: "rect", symbolSize: [2, 12], data: [[row.low, index], [row.high, index]], lineStyle: { color: theme.accent, width: 2 }, itemStyle: { color: theme.accent } })),
        { type: "scatter", name: "accuracy", symbolSize: 12, itemStyle: { color: theme.accent }, data: rows.map((row, index) => ({ value: [row.mean, index], row })) },
      ],
    };
  }

  // Accuracy against confidence, a bin a point with its interval; on the diagonal the model is as sure as it may be.
  function reliability(data, theme) {
    const sets = data.reliability, most = Math.max(...sets.flatMap((set) => set.bins.map((bin) => bin.count)), 1);
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((tick) => [tick, percent(tick, 0)]);
    const colours = [theme.gold, theme.accent];
    return {
      grid: { left: 62, right: 16, top: 12, bottom: 44 },
      tooltip: tooltip(theme, ({ data: { bin, label } }) => bin && lines(label, `confidence ${percent(bin.confidence)}, right in ${percent(bin.accuracy)}`, `${bin.count} rows, so ${percent(bin.low, 0)} to ${percent(bin.high, 0)}`)),
      xAxis: axis(theme, { low: 0, high: 1, ticks }, name(theme, "confidence")),
      yAxis: axis(theme, { low: 0, high: 1, ticks }, faint(theme)),
      series: [
        { type: "line", data: [[0, 0], [1, 1]], silent: true, showSymbol: false, lineStyle: { color: theme.muted, type: "dashed", width: 1 } },
        ...sets.map((set, index) => ({
          type: "line", name: "interval", silent: true, showSymbol: false, lineStyle: { color: colours[index], width: 1.2, opacity: 0.6 },
          data: set.bins.flatMap((bin) => [[bin.confidence, bin.low], [bin.confidence, bin.high], [null, null]]),
        })),
        ...sets.map((set, index) => ({
          type: "scatter", name: set.label, itemStyle: index ? { color: colours[index] } : { color: "rgba(0, 0, 0, 0)", borderColor: colours[index], borderWidth: 1.5 },
          data: set.bins.map((bin) => ({ value: [bin.confidence, bin.accuracy], bin, label: set.label, symbolSize: 6 + 10 * Math.sqrt(bin.count / most) })),
        })),
      ],
    };
  }

  // The confusion matrix of very many classes, shaded by the share of each true class.
  function confusion(data, theme) {
    const { classes, counts } = data.confusion;
    const cells = [];
    counts.forEach((row, truly) => {
      const total = row.reduce((sum, count) => sum + count, 0) || 1;
      row.forEach((count, predicted) => { if (count) cells.push({ value: [predicted, truly, count / total], count }); });
    });
    const ends = (label, inverse) => ({
      type: "category", data: classes, inverse, axisTick: { show: false }, axisLine: { lineStyle: { color: theme.line } },
      axisLabel: { color: theme.muted, fontSize: 10, width: 90, overflow: "truncate", fontFamily: theme.font }, ...name(theme, label),
    });
    return {
      grid: { left: 110, right: 12, top: 8, bottom: 44 },
      tooltip: tooltip(theme, ({ data: cell }) => lines(`${classes[cell.value[1]]} taken for ${classes[cell.value[0]]}`, `${cell.count} rows, ${percent(cell.value[2])} of the class`)),
      xAxis: ends("predicted", false), yAxis: { ...ends("true", true), nameGap: 90 },
      visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: [theme.shade, theme.accent] } },
      series: [{ type: "heatmap", data: cells }],
    };
  }

  // The best score so far of several runs, one line a run.
  function runs(data, theme, by) {
    const colours = lineColours(theme), place = placer(data.objective.scale), series = [], values = [];
    let end = 1;
    data.runs.forEach((run, order) => {
      const rows = run.progress.map((row, index) => ({ ...row, x: by === "seconds" ? row.seconds : index + 1 })).filter((row) => row.x !== null && row.best !== null);
      if (!rows.length) return;
      end = Math.max(end, rows.at(-1).x);
      values.push(...rows.map((row) => row.best));
      series.push({
        type: "line", name: run.name, step: "end", symbol: "circle", symbolSize: 4, showSymbol: false, itemStyle: { color: colours[order % 6] },
        lineStyle: { color: colours[order % 6], width: 2.5, type: order % 2 ? [6, 3] : "solid" },
        data: rows.map((row) => ({ value: [row.x, place(row.best)], row, run: run.name })),
      });
    });
    const write = data.objective.lower ? short : tickPercent;
    return {
      grid: { left: 62, right: 16, top: 12, bottom: 44 },
      tooltip: tooltip(theme, ({ data: { row, run } }) => lines(run, `${data.objective.label} ${score(data, row.best)}`, `after ${short(row.x)} ${by}`)),
      xAxis: axis(theme, { low: 0, high: end * 1.02, ticks: ticksBetween(0, end, "linear").map((tick) => [tick, String(tick)]) }, name(theme, by === "seconds" ? "seconds of searching" : "trials ended")),
      yAxis: axisAround(theme, values, data.objective.scale, write, faint(theme)),
      series,
    };
  }

  return { parameter, parallel, curves, progress, enough, importance, columns, dependence, intervals, reliability, confusion, runs, lineColours, score };
})();
