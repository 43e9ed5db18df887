/*
 * Makes the pages live: states, usage and uptime without reloading, buttons that answer in place, filters, groups that
 * fold, and a log view that follows. Without it the pages still do everything: forms, links, reloading.
 *
 * What it finds in a page (all of it made by the server, which alone turns data into markup):
 *   #processes[data-live]      the table's frame; the URL of the server-sent events
 *   tr.process[data-name][data-group][data-state] with cells .state > span, .description, .cpu, .memory
 *   tr.group[data-group] > th  a group's heading
 *   form[method=post]          a button; asked for text/plain the server answers with a message alone
 *   #states                    how many processes are in which state
 *   #message, #filter, #state-filter
 *   #log[data-stream]          a log's text; the URL of its stream. #wrap and #follow are checkboxes
 * Text from the server is only ever put in with textContent.
 */
"use strict";

const LINES_MAX = 5000; /* of a log, in the page */
const RETRY_MAX_MS = 10000;

const find = (selector, within = document) => within.querySelector(selector);
const find_all = (selector, within = document) => Array.from(within.querySelectorAll(selector));

function make(tag, properties) {
    return Object.assign(document.createElement(tag), properties);
}

function set_text(element, text) {
    if (element && element.textContent !== text)
        element.textContent = text;
}

/* A page's address may have a password in it (http://user:password@host/), which fetch() takes from no address. */
function address(path) {
    return new URL(path, location.origin + location.pathname).href;
}

/* --- messages and buttons --- */

function say(text, is_error) {
    const message = find("#message");

    message.classList.toggle("error", is_error);
    message.textContent = text;
}

async function post(form, button) {
    const fields = new URLSearchParams(new FormData(form));

    if (button && button.name)
        fields.set(button.name, button.value);
    const response = await fetch(address(form.getAttribute("action")),
                                 { method: "POST", body: fields, headers: { Accept: "text/plain" } });
    const text = (await response.text()).trim() || response.statusText;
    if (!response.ok)
        throw new Error(text);
    return text;
}

async function on_submit(event) {
    const form = event.target;
    const button = event.submitter;

    if (form.method !== "post")
        return;
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true")
        return;
    button.setAttribute("aria-busy", "true");
    try {
        say(await post(form, button), false);
        document.dispatchEvent(new CustomEvent("acted", { detail: button.value }));
    } catch (error) {
        say(error.message, true);
    }
    button.removeAttribute("aria-busy");
}

/* --- the connection --- */

function show_connection(is_up) {
    let shown = find("#connection");

    if (!shown) {
        shown = make("span", { id: "connection" });
        shown.setAttribute("role", "status");
        find("header").append(shown);
    }
    shown.classList.toggle("lost", !is_up);
    set_text(shown, is_up ? "Live" : "Connection lost, trying again");
}

/* --- uptime: told once by the server, counted here --- */

function parse_uptime(description) {
    const found = /^(.*uptime )(?:(\d+) days?, )?(\d+):(\d\d):(\d\d)$/.exec(description);

    if (!found)
        return null;
    const [days, hours, minutes, seconds] = found.slice(2).map((part) => Number(part || 0));
    return { text: found[1], began: Date.now() - 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days))) };
}

function uptime_text(uptime) {
    const total = Math.max(0, Math.floor((Date.now() - uptime.began) / 1000));
    const pad = (number) => String(number).padStart(2, "0");
    const days = Math.floor(total / 86400);
    const clock = [Math.floor((total % 86400) / 3600), pad(Math.floor((total % 3600) / 60)), pad(total % 60)].join(":");

    return uptime.text + (days ? days + (days === 1 ? " day, " : " days, ") : "") + clock;
}

/* --- the table --- */

class Table {
    constructor(frame) {
        this.frame = frame;
        this.title = document.title.replace(/^\d+ [A-Z]+\W+/, "");
        this.filter = find("#filter");
        this.wanted_state = find("#state-filter");
        this.folded = new Set(this.remembered());
        this.count = make("output", { id: "count" });
        this.nothing = make("p", { className: "nothing", textContent: "No process matches.", hidden: true });
        this.is_arranging = false;
        this.wanted_state.parentElement.append(this.count);
        for (const input of [this.filter, this.wanted_state])
            input.addEventListener("input", () => this.arrange());
        this.read();
        setInterval(() => this.tick(), 1000);
    }

    /* Takes the rows that the server has made. */
    read() {
        this.rows = new Map();
        this.groups = new Map();
        for (const row of find_all("tr.process", this.frame))
            this.rows.set(row.dataset.name, this.read_row(row));
        for (const row of find_all("tr.group", this.frame))
            this.groups.set(row.dataset.group, this.read_group(row));
        this.frame.append(this.nothing);
        this.arrange();
    }

    read_row(row) {
        const description = find(".description", row);
        const state = find(".state > span", row);

        return { row, state, description, cpu: find(".cpu", row), memory: find(".memory", row),
                 uptime: parse_uptime(description.textContent.trim()) };
    }

    read_group(row) {
        const heading = find("th", row);
        const name = row.dataset.group;
        const fold = make("button", { type: "button", className: "fold", textContent: name });
        const summary = make("span", { className: "summary" });

        heading.replaceChildren(fold, summary);
        fold.addEventListener("click", () => this.fold(name));
        return { row, fold, summary };
    }

    remembered() {
        try {
            return JSON.parse(localStorage.getItem("folded")) || [];
        } catch {
            return []; /* storage may be forbidden */
        }
    }

    fold(name) {
        if (!this.folded.delete(name))
            this.folded.add(name);
        try {
            localStorage.setItem("folded", JSON.stringify([...this.folded]));
        } catch {
            /* then it is not remembered */
        }
        this.arrange();
    }

    /* Asks for one arranging, however many events come until the next frame. */
    touch() {
        if (this.is_arranging)
            return;
        this.is_arranging = true;
        setTimeout(() => {
            this.is_arranging = false;
            this.arrange();
        }, 50);
    }

    /* Shows what is wanted, and sums up. */
    arrange() {
        const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
        const state = this.wanted_state.value.toUpperCase();
        const is_filtered = words.length > 0 || state !== "";
        const sums = new Map();
        let shown = 0;

        for (const [name, one] of this.rows) {
            const sum = this.sum_of(sums, one.row.dataset.group);
            const text = (name + " " + one.description.textContent).toLowerCase();
            const fits = words.every((word) => text.includes(word)) && (!state || one.row.dataset.state === state);
            sum.states.set(one.row.dataset.state, (sum.states.get(one.row.dataset.state) || 0) + 1);
            sum.shown += fits;
            shown += fits;
            one.row.classList.toggle("filtered", !fits);
            one.row.classList.toggle("folded", !is_filtered && this.groups.has(one.row.dataset.group) &&
                                               this.folded.has(one.row.dataset.group));
        }
        for (const [name, group] of this.groups)
            this.arrange_group(group, this.sum_of(sums, name), is_filtered || !this.folded.has(name));
        this.show_sums(sums, shown, is_filtered);
    }

    sum_of(sums, group) {
        if (!sums.has(group))
            sums.set(group, { shown: 0, states: new Map() });
        return sums.get(group);
    }

    arrange_group(group, sum, is_open) {
        group.row.classList.toggle("filtered", sum.shown === 0);
        group.fold.setAttribute("aria-expanded", String(is_open));
        show_counts(group.summary, sum.states);
    }

    show_sums(sums, shown, is_filtered) {
        const total = this.rows.size;
        const states = new Map();

        for (const sum of sums.values())
            for (const [state, number] of sum.states)
                states.set(state, (states.get(state) || 0) + number);
        const fatal = states.get("FATAL");
        show_counts(find("#states"), states);
        document.title = (fatal ? fatal + " FATAL - " : "") + this.title;
        set_text(this.count, is_filtered ? shown + " of " + total : total + (total === 1 ? " process" : " processes"));
        this.nothing.hidden = shown > 0 || total === 0;
    }

    tick() {
        if (document.hidden)
            return;
        for (const one of this.rows.values())
            if (one.uptime && !one.row.matches(".folded, .filtered"))
                set_text(one.description, uptime_text(one.uptime));
    }

    /* One process, as the server tells it. False when there is no row for it. */
    update(told) {
        const one = this.rows.get(told.group + ":" + told.name);

        if (!one)
            return false;
        one.row.className = one.row.className.replace(/\bstate-\S+/, "state-" + told.statename.toLowerCase());
        one.row.dataset.state = told.statename;
        one.uptime = parse_uptime(told.description);
        set_text(one.state, told.statename);
        set_text(one.description, told.description);
        if (!told.pid) {
            set_text(one.cpu, "");
            set_text(one.memory, "");
        }
        this.touch();
        return true;
    }

    /* What the server has; what each of them does follows. Another number of them: a new page is needed. */
    take_snapshot(told) {
        if (told.count !== this.rows.size)
            this.renew();
    }

    take_usage(told) {
        for (const usage of told.processes) {
            const one = this.rows.get(usage.group + ":" + usage.name);
            if (!one)
                continue;
            set_text(one.cpu, usage.cpu.toFixed(1) + " %");
            set_text(one.memory, memory_text(usage.memory));
        }
    }

    /* Groups have come or gone: the server makes the rows again, once for many that come together. */
    renew() {
        clearTimeout(this.renewal);
        this.renewal = setTimeout(() => this.fetch_rows(), 50);
    }

    /* Markup made by DOMParser runs no scripts. What fails here is repaired by the snapshot of the next connection. */
    async fetch_rows() {
        const response = await fetch(address(location.pathname));
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const fresh = find("#processes", page);

        if (!response.ok || !fresh)
            return;
        this.frame.replaceChildren(...fresh.childNodes);
        this.read();
    }
}

/* "1 fatal, 27 running": what wants to be seen comes first. */
function show_counts(element, states) {
    const is_trouble = (state) => state === "FATAL" || state === "BACKOFF";
    const parts = [...states].sort(([one], [other]) => is_trouble(other) - is_trouble(one) || one.localeCompare(other))
        .map(([state, number]) => make("span", { textContent: number + " " + state.toLowerCase(),
                                                 className: is_trouble(state) ? "trouble" : "" }));

    element.replaceChildren(...parts.flatMap((part, index) => (index ? [", ", part] : [part])));
}

function memory_text(bytes) {
    const units = ["KiB", "MiB", "GiB", "TiB"];
    let value = bytes / 1024;

    while (value >= 1000 && units.length > 1) {
        value /= 1024;
        units.shift();
    }
    return value.toFixed(value < 10 ? 1 : 0) + " " + units[0];
}

function live_processes(frame) {
    const table = new Table(frame);
    const events = new EventSource(address(frame.dataset.live));
    const take = (name, taker) => events.addEventListener(name, (event) => taker(JSON.parse(event.data)));

    events.addEventListener("open", () => show_connection(true));
    events.addEventListener("error", () => {
        show_connection(false);
        if (events.readyState === EventSource.CLOSED) /* refused, not merely lost: the browser does not try again */
            setTimeout(() => location.reload(), RETRY_MAX_MS);
    });
    take("snapshot", (told) => table.take_snapshot(told));
    take("process", (told) => table.update(told) || table.renew());
    take("usage", (told) => table.take_usage(told));
    take("group", () => table.renew());
    take("supervisor", (told) => set_text(find("#supervisor-state"), told.statename));
}

/* --- a log --- */

class LogView {
    constructor(log) {
        this.log = log;
        this.filter = find("#filter");
        this.follow = find("#follow");
        this.pending = "";
        this.last = null; /* the line that is not whole yet */
        this.is_drawing = false;
        this.top = 0; /* where it was scrolled to */
        const text = log.textContent;
        log.replaceChildren();
        this.add(text.startsWith("\n") ? text.slice(1) : text);
        this.draw();
        log.addEventListener("scroll", () => this.on_scroll());
        new ResizeObserver(() => this.scroll()).observe(log);
        this.follow.addEventListener("change", () => this.scroll());
        this.filter.addEventListener("input", () => this.refilter());
        find("#wrap").addEventListener("change", (event) => {
            log.classList.toggle("wrap", event.target.checked);
            this.scroll();
        });
        log.classList.toggle("wrap", find("#wrap").checked);
        document.addEventListener("acted", (event) => event.detail.startsWith("clear") && this.clear());
    }

    is_at_end() {
        return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 24;
    }

    /* Going up stops following, going to the end begins it again; a page that changes its size does neither. */
    on_scroll() {
        if (this.is_at_end())
            this.follow.checked = true;
        else if (this.log.scrollTop < this.top)
            this.follow.checked = false;
        this.top = this.log.scrollTop;
    }

    scroll() {
        if (this.follow.checked)
            this.log.scrollTop = this.log.scrollHeight;
    }

    clear() {
        this.pending = "";
        this.last = null;
        this.log.replaceChildren();
    }

    /* What the stream begins with may be in the page already, wholly or in part. */
    join(text) {
        this.draw();
        const shown = this.tail(text.length);

        for (let length = Math.min(shown.length, text.length); length > 0; length--)
            if (shown.endsWith(text.slice(0, length)))
                return this.add(text.slice(length));
        this.add(text);
    }

    /* So many characters of the page's end. */
    tail(length) {
        let text = this.last ? "" : "\n";

        for (let line = this.log.lastElementChild; line && text.length < length; line = line.previousElementSibling)
            text = line.textContent + (line === this.log.lastElementChild ? "" : "\n") + text;
        return this.log.lastElementChild ? text : "";
    }

    /* Keeps a flood out of the page: only what would be shown at the next frame gets there. */
    add(text) {
        this.pending += text;
        if (this.pending.length > 2000000)
            this.pending = this.pending.slice(-1000000).replace(/^.*\n/, "");
        if (this.is_drawing)
            return;
        this.is_drawing = true;
        setTimeout(() => this.draw(), 50);
    }

    draw() {
        const lines = this.pending.split("\n");
        const fresh = document.createDocumentFragment();

        this.is_drawing = false;
        this.pending = "";
        if (this.last) {
            this.last.textContent += lines[0];
            this.show(this.last);
        }
        for (const line of lines.slice(this.last ? 1 : 0).slice(-LINES_MAX))
            fresh.append(this.show(make("div", { textContent: line })));
        if (fresh.childNodes.length)
            this.last = fresh.lastChild;
        this.log.append(fresh);
        if (this.last && this.last.textContent === "") { /* the text ended with a newline */
            this.last.remove();
            this.last = null;
        }
        while (this.log.childElementCount > LINES_MAX)
            this.log.firstElementChild.remove();
        this.scroll();
    }

    show(line) {
        line.classList.toggle("filtered", !line.textContent.toLowerCase().includes(this.filter.value.toLowerCase()));
        return line;
    }

    refilter() {
        for (const line of this.log.children)
            this.show(line);
        this.scroll();
    }
}

/* Reads a stream to its end. */
async function read_stream(view, url, on_open) {
    const response = await fetch(address(url), { cache: "no-store" });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let is_first = true;

    if (!response.ok)
        throw new Error(response.statusText);
    on_open();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        const text = decoder.decode(piece.value, { stream: true }).replace(/\r/g, "");
        if (is_first)
            view.join(text.replace(/^\ufffd+/, "")); /* it may begin within a character */
        else
            view.add(text);
        is_first = false;
    }
}

async function live_log(log) {
    const view = new LogView(log);
    let pause = 1000;

    for (;;) {
        try {
            await read_stream(view, log.dataset.stream, () => {
                show_connection(true);
                pause = 1000;
            });
        } catch {
            /* as when it ends: begun again below */
        }
        show_connection(false);
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(2 * pause, RETRY_MAX_MS);
    }
}

/* --- the keyboard: / goes to the filter, Escape empties it --- */

function on_key(event) {
    const filter = find("#filter");
    const is_typing = event.target.matches("input:not([type=checkbox]), select, textarea");

    if (!filter || event.ctrlKey || event.altKey || event.metaKey)
        return;
    if (event.key === "/" && !is_typing) {
        event.preventDefault();
        filter.focus();
        filter.select();
    } else if (event.key === "Escape") {
        filter.value = "";
        filter.dispatchEvent(new Event("input"));
    }
}

function begin() {
    const processes = find("#processes[data-live]");
    const log = find("#log[data-stream]");

    document.documentElement.classList.add("live");
    document.addEventListener("submit", on_submit);
    document.addEventListener("keydown", on_key);
    if (processes)
        live_processes(processes);
    if (log)
        live_log(log);
}

begin();
