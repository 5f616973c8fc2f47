"use strict";
// What the card can do on a screen. It is complete without this, and nothing made here is printed.
// Every text becomes a text node: no text of a document can become markup.
(() => {
  const { words, explorer } = JSON.parse(document.getElementById("card-data").textContent);
  const root = document.documentElement;
  const plurals = new Intl.PluralRules(words.lang);
  const SIGN = { outside: "✗", unsettled: "○", within: "●", none: "" };

  const say = (key, values = {}) => {
    const found = words[key];
    const text = typeof found === "string" ? found : found[plurals.select(values.n)] ?? found.other;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  };

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  };

  const words_of = (element) => element.textContent.replace(/\s+/g, " ").trim();
  const id_of = (heading) => heading.id || heading.closest("section")?.id;
  const number = (n) => n.toLocaleString("en-US");
  const status = make("p", { class: "made unseen", role: "status" });
  document.body.append(status);

  // Light and dark: the system's choice until the reader makes one.
  const dark = () => (root.dataset.look ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const look = make("button", { type: "button", class: "look", "aria-pressed": "false" });
  const show_look = () => {
    look.textContent = say("dark");
    look.setAttribute("aria-pressed", String(dark()));
  };
  look.addEventListener("click", () => {
    root.dataset.look = dark() ? "light" : "dark";
    show_look();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show_look);
  show_look();

  // Contents that stay in sight, with the section that is being read.
  const top = document.querySelector("main h1");
  const headings = [top, ...document.querySelectorAll("main h2:not(.q)")].filter((h) => h && id_of(h));
  const links = new Map();
  const list = make("ol", { id: "contents-list" });
  for (const heading of headings) {
    const link = make("a", { href: `#${id_of(heading)}` }, heading === top ? say("top") : heading.dataset.name ?? words_of(heading));
    links.set(heading, link);
    list.append(make("li", {}, link));
  }
  const opener = make("button", {
    type: "button", class: "opener", "aria-expanded": "false", "aria-controls": "contents-list",
    on: { click: () => open_contents(opener.getAttribute("aria-expanded") !== "true") },
  }, say("contents"));
  const open_contents = (open) => {
    opener.setAttribute("aria-expanded", String(open));
    side.classList.toggle("open", open);
  };
  const side = make("nav", { class: "made side", "aria-label": say("contents") },
    make("div", { class: "tools" }, opener, look), list);
  list.addEventListener("click", () => open_contents(false));
  side.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side.classList.contains("open")) {
      open_contents(false);
      opener.focus();
    }
  });
  document.querySelector("main").before(side);
  root.classList.add("scripted");

  const read = () => {
    const line = innerHeight / 4;
    const reading = headings.filter((h) => h.getBoundingClientRect().top <= line).pop() ?? headings[0];
    for (const [heading, link] of links) {
      if (heading === reading) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; read(); });
  }, { passive: true });

  // Tables: order and filter. Paper has every row in the order of the document.
  const tables = [];
  const name_of = (table) => {
    const block = table.closest(".part") ?? table.closest("section");
    return words_of(block.querySelector("h3, h2") ?? table);
  };

  // The cell of each column of a row, where cells may span columns; a column that a head spans has several.
  const cells_under = (row, from, to) => {
    const found = [];
    let at = 0;
    for (const cell of row.cells) {
      if (at < to && at + cell.colSpan > from) found.push(cell);
      at += cell.colSpan;
    }
    return found;
  };
  const key_of = (row, from, to) => {
    const text = cells_under(row, from, to).map((c) => [...c.childNodes].filter((n) => n.nodeName !== "svg")
      .map((n) => n.textContent).join(" ")).join(" ").replace(/\s+/g, " ").trim();
    const value = /^[^\d\p{L}]*?([-−]?\d[\d,]*(?:\.\d+)?)/u.exec(text);
    return { text, value: value ? Number(value[1].replace(/,/g, "").replace("−", "-")) : null };
  };
  const collator = new Intl.Collator(words.lang, { numeric: true });

  const sortable = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const state = { body, rows, filtered: () => {} };
    let at = 0;
    heads.forEach((head, column) => {
      const [from, to] = [at, at += head.colSpan];
      const name = words_of(head);
      if (!name) return;
      const button = make("button", { type: "button", class: "made sort", "aria-label": say("sort", { name }), title: say("sort", { name }) });
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") ?? "none"];
        heads.forEach((h) => h.removeAttribute("aria-sort"));
        if (next === "none") return void body.append(...rows);
        head.setAttribute("aria-sort", next);
        const keyed = rows.map((row, place) => ({ row, place, ...key_of(row, from, to) }));
        const numbers = column > 0 && keyed.some((k) => k.value !== null);
        const sign = next === "ascending" ? 1 : -1;
        const empty = (k) => (numbers ? k.value === null : k.text === "" || k.text === "–");
        keyed.sort((a, b) => empty(a) - empty(b) || (empty(a) ? 0 : sign * (numbers ? a.value - b.value : collator.compare(a.text, b.text))) || a.place - b.place);
        body.append(...keyed.map((k) => k.row));
      });
      head.classList.add("sortable");
      head.append(button);
    });
    tables.push(state);
    return state;
  };

  const filterable = (table, state) => {
    const input = make("input", { type: "search", autocomplete: "off", placeholder: say("filter_hint"), "aria-label": say("filter", { name: name_of(table) }) });
    const kept = make("span", { class: "mute", role: "status" });
    const texts = state.rows.map((row) => words_of(row).toLocaleLowerCase(words.lang));
    const filter = () => {
      const wanted = input.value.toLocaleLowerCase(words.lang).split(/\s+/).filter(Boolean);
      let n = 0;
      state.rows.forEach((row, i) => {
        const stays = wanted.every((word) => texts[i].includes(word));
        row.classList.toggle("off", !stays);
        n += stays;
      });
      kept.textContent = wanted.length ? say("kept", { n, all: state.rows.length }) : "";
    };
    input.addEventListener("input", filter);
    state.cleared = () => {
      if (!input.value) return;
      input.value = "";
      filter();
    };
    (table.closest(".scroll") ?? table).before(make("div", { class: "made filter" }, input, kept));
  };

  // Tables of groups, rules and columns; where a row leans on the one above it, the order stays.
  const SORTED = ["fairness", "annex-fairness", "explanation", "policy", "checklist", "crosswalk", "data", "annex-data"];
  for (const table of document.querySelectorAll(SORTED.map((id) => `#${id} .scroll > table.t`).join(", "))) {
    if (!table.tHead || table.tBodies.length !== 1 || table.tBodies[0].rows.length < 3) continue;
    if ([...table.tBodies[0].rows].some((row) => !words_of(row.cells[0]))) continue;
    const heads = [...table.tHead.rows[0].cells].map(words_of).filter((name) => name);
    if (new Set(heads).size < heads.length) continue; // sets of columns side by side: a row is not one thing
    const state = sortable(table);
    if (state.rows.length >= 8) filterable(table, state);
  }

  let screen_order = [];
  addEventListener("beforeprint", () => {
    screen_order = tables.map(({ body }) => [...body.rows]);
    tables.forEach(({ body, rows }) => body.append(...rows));
  });
  addEventListener("afterprint", () => tables.forEach(({ body }, i) => body.append(...(screen_order[i] ?? []))));

  // What scrolls sideways can be reached by keyboard.
  const reach = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", say("scrollable", { name: name_of(box) }));
      } else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  };
  addEventListener("resize", reach);

  // Links to a finding or a section: what they lead to is shown, marked by the style sheet and focused.
  const reveal = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    if (target.closest(".off")) tables.find(({ body }) => body.contains(target)).cleared();
    if (!target.matches("a, button, input, [tabindex]")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  const linked = (place, id) => {
    const name = words_of(place).slice(0, 80);
    place.append(" ", make("a", { class: "made anchor", href: `#${id}`, "aria-label": say("link", { name }) }, "#"));
  };
  headings.slice(1).forEach((heading) => linked(heading, id_of(heading)));
  for (const finding of document.querySelectorAll("main [id^='f-'], main .part[id]")) {
    linked(finding.matches("tr") ? finding.cells[0] : finding.querySelector("h3, h4, p:last-of-type") ?? finding, finding.id);
  }

  // The commands: copied by a button.
  for (const box of document.querySelectorAll(".command")) {
    const code = box.querySelector("code") ?? box;
    const button = make("button", { type: "button", class: "made copy" }, say("copy"));
    const told = (key) => { button.textContent = say(key); status.textContent = say(key); };
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        told("copied");
      } catch {
        getSelection().selectAllChildren(code);
        told(document.execCommand("copy") ? "copied" : "copy_yourself");
      }
    });
    box.after(button);
  }

  if (explorer && document.getElementById("thresholds")) explore(document.getElementById("thresholds"));
  // What asks for the layout comes last, so that it is computed once.
  requestAnimationFrame(() => { reach(); reveal(); read(); });

  // The threshold explorer: counts divided, outcomes looked up.
  function explore(part) {
    const last = explorer.thresholds.length - 1;
    const start = explorer.force ?? explorer.cheapest ?? Math.floor(last / 2);
    let at = start;

    // As Python rounds: a tie of the exact value goes to the even digit.
    const fixed = (x, digits) => {
      const up = x * 10 ** digits;
      const tie = Math.abs(up - Math.floor(up) - 0.5) === 0 && up / 10 ** digits === x;
      return tie ? (2 * Math.round(up / 2) / 10 ** digits).toFixed(digits) : x.toFixed(digits);
    };
    const minus = (text) => text.replace("-", "−");
    const percent = (rate) => {
      if (rate === null) return "–";
      let digits = 1;
      while (digits < 12 && rate > 0 && rate < 1 && [0, 100].includes(Number(fixed(100 * rate, digits)))) digits += 1;
      return `${fixed(100 * rate, digits)}%`;
    };
    const points = (rate, before) => {
      if (rate === null || before === null) return "";
      const text = fixed(100 * (rate - before), 1);
      return Number(text) === 0 ? "0.0" : rate > before ? `+${text}` : minus(text);
    };
    const share = (part, whole) => (whole > 0 ? part / whole : null);

    const rates = (group, i) => {
      const { p, q, tp, fp } = group.w ?? group;
      const chosen = tp[i] + fp[i];
      return {
        selection_rate: share(explorer.positive ? chosen : p + q - chosen, p + q),
        true_positive_rate: share(tp[i], p),
        false_positive_rate: share(fp[i], q),
        precision: share(tp[i], chosen),
      };
    };
    const RATES = ["selection_rate", "true_positive_rate", "false_positive_rate", "precision"];
    const selected = (group, i) => {
      const chosen = group.tp[i] + group.fp[i];
      return explorer.positive ? chosen : group.p + group.q - chosen;
    };

    const cell = (attributes, ...children) => make("td", attributes, ...children);
    const mark = (name, word) => make("span", { class: `${name} n` }, make("span", { class: "mark", "aria-hidden": "true" }, SIGN[name]), ` ${word}`);
    const bar = (rate) => {
      const filled = make("i");
      filled.style.width = `${100 * (rate ?? 0)}%`;
      return make("span", { class: "rate-bar", "aria-hidden": "true" }, filled);
    };
    const within = (i) => explorer.outcomes[i].filter((o) => o === "within").length;
    const CLASS = { PASS: "within", REVIEW: "unsettled", BLOCK: "outside" };
    const together = (i) => mark(CLASS[explorer.together[i]], say(explorer.together[i]));

    const slider = make("input", { type: "range", id: "explore-at", min: 0, max: last, step: 1, value: at });
    const shown = make("output", { for: "explore-at" });
    slider.style.setProperty("--cells", String(last + 1));
    // One cell a threshold under the slider; what they say is said in words below.
    const strip = make("div", { class: "strip", "aria-hidden": "true" },
      ...explorer.together.map((outcome) => make("i", { class: CLASS[outcome] }, SIGN[CLASS[outcome]])));
    const facts = make("dl");
    const go = (i) => { slider.value = i; move(); slider.focus(); };
    const jump = (key, i) => i != null && make("button", { type: "button", on: { click: () => go(i) } }, say(key, { threshold: explorer.thresholds[i] }));
    const jumps = make("p", { class: "jumps" }, ...[jump("in_force", explorer.force), jump("cheapest", explorer.cheapest)].filter(Boolean));

    const choice = make("select", { id: "explore-of", on: { change: () => draw_groups() } },
      ...explorer.features.map((f, i) => make("option", { value: i }, f.name)));
    const group_body = make("tbody");
    const rule_body = make("tbody");
    const head = (key, attributes = {}) => make("th", { scope: "col", ...attributes }, say(key));
    const group_table = make("div", { class: "scroll" }, make("table", { class: "t" },
      make("thead", {}, make("tr", {}, head("group", { class: "w18" }), head("rows", { class: "r" }), head("gets", { class: "r" }),
        ...RATES.map((r) => head(r, { class: "r", colspan: r === "selection_rate" ? 3 : 2 })))), group_body));
    const rule_table = make("div", { class: "scroll" }, make("table", { class: "t" },
      make("thead", {}, make("tr", {}, head("rule", { class: "w12" }), head("what"), head("metric"), head("at_force", { class: "w20" }), head("here", { class: "w20" }))), rule_body));

    const group_row = (group) => {
      const [now, before] = [rates(group, at), explorer.force === null ? null : rates(group, explorer.force)];
      const row = make("tr", {}, cell({ class: "wrap" }, group.name || say("everyone")), cell({ class: "r n" }, number(group.p + group.q)),
        cell({ class: "r n" }, number(selected(group, at))), cell({}, bar(now.selection_rate)));
      for (const name of RATES) {
        row.append(cell({ class: "r n strong" }, percent(now[name])), cell({ class: "r n mute" }, before ? points(now[name], before[name]) : ""));
      }
      return row;
    };
    const gap_rows = (groups) => {
      const known = groups.filter((g) => g.known);
      const found = RATES.map((name) => known.map((g) => rates(g, at)[name]).filter((r) => r !== null));
      const row = (key, of) => {
        const made = make("tr", { class: "gap-row" }, make("th", { scope: "row", colspan: 4 }, say(key)));
        for (const values of found) made.append(cell({ class: "r n strong" }, values.length > 1 ? of(Math.min(...values), Math.max(...values)) : "–"), cell({}));
        return made;
      };
      return [row("gap", (low, high) => fixed(high - low, 3)), row("ratio", (low, high) => (high > 0 ? fixed(low / high, 3) : "–"))];
    };
    const draw_groups = () => {
      const feature = explorer.features[Number(choice.value)];
      group_body.replaceChildren(...explorer.everyone.map(group_row), ...(feature ? [...feature.groups.map(group_row), ...gap_rows(feature.groups)] : []));
    };
    const draw_rules = () => {
      rule_body.replaceChildren(...explorer.questions.map((q, i) => {
        const [here, before] = [explorer.outcomes[at][i], explorer.force === null ? null : explorer.outcomes[explorer.force][i]];
        return make("tr", { class: before !== null && before !== here ? "changed" : null },
          cell({ class: "wrap" }, q.rule, make("br"), make("span", { class: "mute" }, q.policy)), cell({ class: "wrap" }, q.of || say("everyone")),
          cell({ class: "wrap" }, q.title, make("br"), make("span", { class: "mute" }, q.metric)),
          cell({}, before === null ? "–" : mark(before, say(before))), cell({}, mark(here, say(here)), before !== null && before !== here ? make("b", {}, ` ${say("changed")}`) : null));
      }));
    };
    const fact = (name, value, now) => make("div", {}, make("dt", {}, name), make("dd", {}, value, now === null ? null : make("span", { class: "mute" }, ` ${say("now", { value: now })}`)));
    const draw = () => {
      const force = explorer.force === null || explorer.force === at ? null : explorer.force;
      shown.textContent = explorer.thresholds[at];
      [...strip.children].forEach((c, i) => { c.classList.toggle("at", i === at); c.classList.toggle("force", i === explorer.force); });
      facts.replaceChildren(
        fact(say("selected"), explorer.selected[at], force === null ? null : explorer.selected[force]),
        fact(explorer.metric, explorer.primary[at], force === null ? null : explorer.primary[force]),
        fact(say("together"), together(at), force === null ? null : say(explorer.together[force])));
      draw_groups();
      draw_rules();
    };
    const move = () => {
      at = Number(slider.value);
      const said = say("said", { threshold: explorer.thresholds[at], value: explorer.selected[at], metric: explorer.metric, primary: explorer.primary[at],
        within: within(at), all: explorer.questions.length, outcome: say(explorer.together[at]) });
      slider.setAttribute("aria-valuetext", said);
      draw();
    };
    slider.addEventListener("input", move);

    const box = make("div", { class: "made explorer", role: "group", "aria-labelledby": "explore-title" },
      make("h4", { id: "explore-title" }, say("explore")), make("p", { class: "mute" }, say("explore_note")),
      make("p", { class: "at-line" }, make("label", { for: "explore-at" }, say("threshold")), " ", shown), slider, strip, jumps, facts,
      explorer.features.length ? make("p", {}, make("label", { for: "explore-of" }, say("feature")), " ", choice, " ", make("span", { class: "mute" }, say("rates"))) : null,
      group_table, make("p", { class: "mute" }, say("gap_note")),
      make("h4", {}, say("rules")), rule_table);
    const first = part.querySelector(".scroll");
    if (first) first.before(box);
    else part.append(box);
    move();
  }
})();
