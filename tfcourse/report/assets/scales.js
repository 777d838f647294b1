// What all figures share: places and texts of values, axes with their ticks, tooltips as text nodes.
"use strict";
const scales = (() => {
  // Scores and losses are drawn on plain axes; the logarithm is taken here.
  const placer = (scale) => (value) => value === null || value === undefined ? null : scale === "log" ? Math.log10(value) : value;
  const percent = (share, places = 2) => `${(100 * share).toFixed(places)}%`;
  const tickPercent = (share, digits = 4) => `${Number((100 * share).toPrecision(digits))}%`;
  const short = (value, digits = 4) => typeof value !== "number" ? String(value)
    : Math.abs(value) >= 1e5 ? Number(value.toPrecision(digits - 1)).toExponential() : String(Number(value.toPrecision(digits)));
  const score = (data, value) => !data.objective.lower ? percent(value) : value >= 0.001 && value < 1000 ? value.toFixed(4) : short(Number(value.toPrecision(3)));

  function lines(...texts) {
    const box = document.createElement("div");
    texts.filter(Boolean).forEach((text, index) => {
      const line = box.appendChild(document.createElement(index ? "div" : "strong"));
      line.textContent = text;
      line.style.display = "block";
    });
    return box;
  }

  const tooltip = (theme, formatter, extra = {}) => ({
    trigger: "item", formatter, confine: true, backgroundColor: theme.card, borderColor: theme.line,
    textStyle: { color: theme.ink, fontSize: 13, fontFamily: theme.font }, ...extra,
  });

  // An axis with given ends and ticks: {low, high, ticks: [[place, text], ...]}.
  function axis(theme, { low, high, ticks }, extra = {}) {
    const names = new Map(ticks);
    const places = [...names.keys()];
    const label = {
      color: theme.muted, fontSize: 11, fontFamily: theme.font, customValues: places, hideOverlap: true,
      formatter: (value) => names.get(value) ?? "",
    };
    return {
      type: "value", min: low, max: high, axisLine: { show: true, onZero: false, lineStyle: { color: theme.line } },
      axisTick: { show: true, customValues: places, length: 4, lineStyle: { color: theme.line } },
      splitLine: { show: false }, ...extra, axisLabel: { ...label, ...extra.axisLabel },
    };
  }

  // Round values from low to high, at least two; on a log axis 1, 2, 5, 10, 20, ... (powers of ten alone where they are
  // many) unless it is too narrow to hold two of them.
  function ticksBetween(low, high, scale) {
    if (scale !== "log") {
      const rough = (high - low) / 5 || 1, power = 10 ** Math.floor(Math.log10(rough));
      const step = power * [1, 2, 5, 10].find((part) => part * power >= rough * 0.999);
      const first = Math.ceil(low / step - 1e-9), count = Math.floor(high / step + 1e-9) - first + 1;
      return Array.from({ length: Math.max(0, count) }, (_, index) => Number(((first + index) * step).toPrecision(9)));
    }
    const parts = Math.log10(high / low) > 3 ? [1] : [1, 2, 5];
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const part of parts) ticks.push(Number(`${part}e${power}`));
    }
    const within = ticks.filter((tick) => tick >= low && tick <= high);
    return within.length > 1 ? within : ticksBetween(low, high, "linear");
  }

  // The ticks as an axis has them, with as many significant digits, at least four, as tell them apart.
  function written(ticks, write, place = (tick) => tick) {
    let digits = 4, texts = ticks.map((tick) => write(tick, digits));
    while (new Set(texts).size < ticks.length && digits < 15) {
      digits += 1;
      texts = ticks.map((tick) => write(tick, digits));
    }
    return ticks.map((tick, index) => [place(tick), texts[index]]);
  }

  function axisAround(theme, values, scale, write, extra = {}) {
    const kept = values.filter((value) => value !== null && value !== undefined && (scale !== "log" || value > 0));
    let low = Infinity, high = -Infinity;
    for (const value of kept) { low = Math.min(low, value); high = Math.max(high, value); }
    if (!kept.length) [low, high] = [1, 10];
    const place = placer(scale), room = 0.05 * (place(high) - place(low)) || 0.05;
    const ends = scale === "log" ? [low / 10 ** room, high * 10 ** room] : [low - room, high + room];
    const ticks = written(ticksBetween(...ends, scale), write, place);
    return axis(theme, { low: place(ends[0]), high: place(ends[1]), ticks }, extra);
  }

  const faint = (theme) => ({ splitLine: { show: true, lineStyle: { color: theme.line, opacity: 0.6 } } });
  const name = (theme, text) => ({ name: text, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: theme.muted, fontSize: 12, fontFamily: theme.font } });

  return { placer, percent, tickPercent, short, score, lines, tooltip, axis, ticksBetween, written, axisAround, faint, name };
})();
