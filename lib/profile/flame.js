"use strict";
/* One flame graph: zoom, search, focus, keyboard, state in the address. Runs in an SVG that was
 * opened by itself and in any number of them inside one HTML page, which all may define these two
 * functions: they hold no state, a picture's own is inside its call of flameGraph. */
function init(event) {
    var svg = event.target.closest("svg");
    if (!svg || svg.flameGraph) return;
    svg.flameGraph = true;
    flameGraph(svg);
}

function flameGraph(svg) {
    var SVG = "http://www.w3.org/2000/svg", PAD = 10, INDENT = 3, LABEL_LEAST = 3, MENU_ROW = 24;
    var element = function (id) { return svg.querySelector("#" + id); };
    var frames = element("frames");
    if (!frames || !frames.firstElementChild) return;
    var setting = function (name) { return frames.getAttribute("data-" + name); };
    var details = element("details"), matched = element("matched"), unzoomButton = element("unzoom");
    var searchButton = element("search"), caseButton = element("ignorecase");
    var alone = svg === document.documentElement; // else a part of a page
    var kind = setting("kind"), inverted = setting("inverted") === "1";
    var overTime = kind === "threads"; // a lane for each thread, all on one axis of time
    var total = Number(frames.getAttribute("total_samples"));
    var fontPx = Number(setting("font-size")), widthPx = Number(frames.getAttribute("width"));
    var hint = "Click zooms, Ctrl-F searches, right click or M for more";
    var idle = setting("notice") === "1" ? details.textContent
             : details.textContent.trim() ? hint : " ";
    var charPx = measured();

    var pictures = { given: read(), derived: null }; // as drawn, and with functions hidden or in focus
    var picture = pictures.given, zoomed = picture.root, current = null;
    var expression = null, pattern = "", ignoreCase = false;
    var focused = null, hidden = [], turned = false, menu = null;

    /* ---- frames: one has a name, x and w in weight, and a level, 0 for the root ---- */

    function measured() { // one character's width, of this font on this machine
        var shown = details.textContent, sample = "the quick brown fox jumps over the lazy dog (0123456789)";
        details.textContent = sample;
        var px = details.getComputedTextLength() / sample.length;
        details.textContent = shown;
        return px || fontPx * Number(setting("font-width"));
    }

    function read() {
        var list = Array.prototype.map.call(frames.children, function (node) {
            var title = node.querySelector("title").textContent, cut = title.lastIndexOf(" (");
            var rect = node.querySelector("rect");
            return {
                node: node, rect: rect, text: node.querySelector("text"), fill: rect.getAttribute("fill"),
                name: cut > 0 ? title.slice(0, cut) : title, counts: cut > 0 ? title.slice(cut) : "",
                x: Number(rect.getAttribute("fg:x")), w: Number(rect.getAttribute("fg:w")),
                y: Number(rect.getAttribute("y")), className: "", label: null
            };
        });
        var heights = list.map(function (frame) { return frame.y; }).sort(function (a, b) { return a - b; })
            .filter(function (y, i, all) { return y !== all[i - 1]; });
        if (!inverted) heights.reverse();
        var level = {};
        heights.forEach(function (y, i) { level[y] = i; });
        list.forEach(function (frame) { frame.level = level[frame.y]; });
        return arrange(list, heights);
    }

    function arrange(list, heights) {
        var rows = heights.map(function () { return []; });
        list.forEach(function (frame) {
            frame.node.flameFrame = frame;
            frame.shown = true;
            rows[frame.level].push(frame);
        });
        rows.forEach(function (row) { row.sort(function (a, b) { return a.x - b.x; }); });
        var lane = 0, root = true; // a lane's root lies below all of it
        rows.forEach(function (row) {
            if (overTime && row[0].node.getAttribute("class") === "thread") root = ++lane;
            row.forEach(function (frame) {
                frame.lane = lane;
                frame.isRoot = !!root;
            });
            root = false;
        });
        return { list: list, rows: rows, heights: heights, root: rows[0][0] };
    }

    function covers(outer, inner) { return outer.x <= inner.x && outer.x + outer.w >= inner.x + inner.w; }

    function at(level, x) { // the frame of this level over x
        var row = picture.rows[level] || [], low = 0, high = row.length - 1;
        while (low <= high) {
            var middle = (low + high) >> 1;
            if (row[middle].x > x) high = middle - 1;
            else if (row[middle].x + row[middle].w <= x) low = middle + 1;
            else return row[middle];
        }
        return null;
    }

    /* ---- counts, written as the titles have them ---- */

    function grouped(n) { return String(n).replace(/\B(?=(\d{3})+$)/g, ","); }

    function duration(ns) {
        if (ns < 0.005) return "0";
        var units = [["ns", 1], ["us", 1e3], ["ms", 1e6], ["s", 1e9]];
        for (var i = 0; i < units.length; i++) {
            var value = ns / units[i][1], text = value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
            if (Number(text) < (i < 3 ? 1000 : 60)) return Number(text) + " " + units[i][0];
        }
        var parts = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]], seconds = Math.round(ns / 1e9);
        while (seconds < parts[0][1]) parts.shift();
        var small = Math.round(seconds / parts[1][1]), ratio = parts[0][1] / parts[1][1];
        return Math.floor(small / ratio) + parts[0][0] + (small % ratio ? " " + small % ratio + parts[1][0] : "");
    }

    function bytes(n) {
        var units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], i = 0;
        for (; i < 6 && n >= (i ? 1023.995 : 1023.5); i++) n /= 1024;
        return n.toFixed(i ? 2 : 0) + " " + units[i];
    }

    function count(weight) {
        var scaled = weight * Number(setting("factor")), each = Number(setting("sample-weight"));
        var text = setting("time") === "1" ? duration(scaled)
                 : setting("bytes") === "1" ? bytes(scaled)
                                            : grouped(Math.round(scaled)) + " " + setting("count-name");
        var samples = each ? Math.round(weight / each) : 0;
        if (each) text += ", " + grouped(samples) + (samples === 1 ? " sample" : " samples");
        return text;
    }

    /* ---- layout: all is computed first and written then, so the browser lays out once ---- */

    function cutTo(text, room) { return text.length > room ? text.slice(0, Math.max(room - 2, 0)) + ".." : text; }

    function label(frame) {
        var room = Math.floor((widthPx * frame.width / 100 - 2 * INDENT) / charPx);
        if (room < LABEL_LEAST) return "";
        if (frame.name.length <= room) return frame.name;
        if (setting("truncate-right") === "1") return cutTo(frame.name, room);
        return ".." + frame.name.slice(frame.name.length - room + 2);
    }

    function top(frame) {
        var heights = picture.heights, last = heights.length - 1;
        return turned ? heights[0] + heights[last] - heights[frame.level] : heights[frame.level];
    }

    function putOnCaller(frame) {
        frame.parent = frame.level < zoomed.level && covers(frame, zoomed);
        frame.shown = frame.parent || (frame.level >= zoomed.level && covers(zoomed, frame));
        frame.left = frame.parent ? 0 : 100 * (frame.x - zoomed.x) / zoomed.w;
        frame.width = frame.parent ? 100 : 100 * frame.w / zoomed.w;
    }

    function inWindow(frame) { // how much of it lies in the time that is shown
        return Math.max(Math.min(frame.x + frame.w, zoomed.x + zoomed.w) - Math.max(frame.x, zoomed.x), 0);
    }

    function putInTime(frame) {
        var seen = inWindow(frame);
        frame.parent = false;
        frame.shown = seen > 0;
        frame.left = 100 * (Math.max(frame.x, zoomed.x) - zoomed.x) / zoomed.w;
        frame.width = 100 * seen / zoomed.w;
    }

    function layout() {
        var textDown = INDENT + Number(picture.root.rect.getAttribute("height")) / 2;
        picture.list.forEach(overTime ? putInTime : putOnCaller);
        picture.list.forEach(function (frame) {
            mark(frame);
            if (!frame.shown) return;
            var text = label(frame), y = top(frame);
            frame.rect.setAttribute("x", frame.left.toFixed(4) + "%");
            frame.rect.setAttribute("width", frame.width.toFixed(4) + "%");
            frame.text.setAttribute("x", (frame.left + 100 * INDENT / widthPx).toFixed(4) + "%");
            if (frame.y !== y) {
                frame.rect.setAttribute("y", frame.y = y);
                frame.text.setAttribute("y", y + textDown);
            }
            if (frame.label !== text) frame.text.textContent = frame.label = text;
        });
        show(unzoomButton, zoomed !== picture.root || picture !== pictures.given);
        if (!overTime) return;
        element("begin").textContent = duration(zoomed.x);
        element("end").textContent = duration(zoomed.x + zoomed.w);
    }

    function mark(frame) {
        var name = (!frame.shown ? "hide" : frame.parent ? "parent" : "") + (frame === current ? " current" : "");
        if (frame.className === name) return;
        if (frame.ownClass === undefined) frame.ownClass = frame.node.getAttribute("class") || "";
        frame.node.setAttribute("class", (frame.ownClass + " " + name).trim());
        frame.className = name;
    }

    function show(node, visible) { node.classList.toggle("hide", !visible); }

    var header = ["title", "subtitle", "legend"].map(element).filter(Boolean).map(function (node) {
        return { node: node, text: node.textContent, px: node.getComputedTextLength() };
    });
    var gone = Array.prototype.map.call(svg.querySelectorAll("#gone text"), function (node) {
        return { data: node.lastChild, text: node.lastChild.data };
    });

    function fitTexts(width) {
        var left = PAD + 11 * charPx, right = PAD + 18 * charPx; // the buttons beside the title
        header.forEach(function (each) {
            var room = width - 2 * PAD;
            if (each.node.id === "title") {
                var central = each.px <= width - 2 * right;
                room = width - left - right;
                each.node.setAttribute("x", central ? "50%" : left + room / 2);
            }
            if (each.node.id === "legend") { // of several colours: squeezed, not cut
                if (each.px > room) each.node.setAttribute("textLength", room);
                else each.node.removeAttribute("textLength");
                each.node.setAttribute("lengthAdjust", "spacingAndGlyphs");
            } else {
                each.node.textContent = cutTo(each.text, Math.floor(room * each.text.length / each.px));
            }
        });
        gone.forEach(function (each) { each.data.data = cutTo(each.text, Math.floor((width - 2 * PAD) / charPx)); });
    }

    /* In a picture taller than the window, details and what matched stay on the screen. */
    var strip = document.createElementNS(SVG, "rect"), detailsY = Number(details.getAttribute("y"));
    strip.id = "strip";
    set(strip, { x: 0, width: "100%", height: fontPx + 10 });
    [strip, details, matched].forEach(function (node) { svg.appendChild(node); }); // above the frames

    function stick() {
        var y = detailsY;
        if (alone && inverted) y = Math.max(y, window.scrollY + fontPx + 4);
        if (alone && !inverted) y = Math.min(y, window.scrollY + window.innerHeight - 8);
        show(strip, y !== detailsY);
        strip.setAttribute("y", y - fontPx - 2);
        details.setAttribute("y", y);
        matched.setAttribute("y", y);
    }

    function resize() {
        if (setting("fluid") === "1") {
            svg.removeAttribute("viewBox");
            svg.setAttribute("width", "100%");
            var width = svg.getBoundingClientRect().width || 1200;
            if (widthPx === width - 2 * PAD) return stick();
            widthPx = Math.max(width - 2 * PAD, 40);
            frames.setAttribute("width", widthPx);
            [searchButton, matched, element("end")].filter(Boolean).forEach(function (text) { text.setAttribute("x", width - PAD); });
            caseButton.setAttribute("x", width - PAD - 14 * charPx);
            fitTexts(width);
        }
        closeMenu();
        stick();
        layout();
        describe(current);
    }

    /* ---- search ---- */

    function highlight() {
        var hits = [];
        picture.list.forEach(function (frame) {
            var hit = !!expression && expression.test(frame.name) && !frame.isRoot;
            if (hit !== !!frame.hit) frame.rect.setAttribute("fill", hit ? setting("search-colour") : frame.fill);
            frame.hit = hit;
            if (hit && frame.shown && !frame.parent) hits.push(frame);
        });
        searchButton.textContent = expression ? "Reset Search" : "Search";
        searchButton.classList.toggle("show", !!expression);
        show(matched, !!expression);
        if (!expression) return;
        hits.sort(function (a, b) { return a.lane - b.lane || a.x - b.x || b.w - a.w; });
        var sum = 0, end = -1, lane = -1; // what lies within a match counts once
        hits.forEach(function (frame) {
            if (frame.lane === lane && frame.x < end) return;
            sum += overTime ? inWindow(frame) : frame.w;
            end = frame.x + frame.w;
            lane = frame.lane;
        });
        matched.textContent = "Matched: " + (100 * sum / (overTime ? busy() : zoomed.w)).toFixed(1)
                              + "% (" + count(sum) + ")";
    }

    function busy() { // what all threads did in the time that is shown
        var sum = 0;
        picture.rows.forEach(function (row, level) {
            var below = picture.rows[level - 1];
            if (below && below[0].isRoot && !row[0].isRoot) row.forEach(function (frame) { sum += inWindow(frame); });
        });
        return sum || 1;
    }

    function search(text) {
        var wrong = false;
        try {
            expression = text ? new RegExp(text, ignoreCase ? "i" : "") : null;
        } catch (error) {
            expression = null;
            wrong = true;
        }
        pattern = text || "";
        highlight();
        if (wrong) {
            matched.textContent = cutTo("Not a regular expression: " + text, Math.floor(widthPx / charPx));
            show(matched, true);
        }
        describe(current);
        remember();
    }

    function askSearch() {
        if (expression) return search("");
        var text = window.prompt("Search for (a regular expression; case "
                                 + (ignoreCase ? "ignored" : "matters, Ctrl-I ignores it") + ")", pattern);
        if (text) search(text);
    }

    function toggleCase() {
        ignoreCase = !ignoreCase;
        showCase();
        if (pattern) search(pattern);
        else remember();
    }

    function showCase() {
        caseButton.classList.toggle("show", ignoreCase);
        caseButton.setAttribute("aria-pressed", ignoreCase);
    }

    /* ---- zoom, focus, hide ---- */

    function zoom(frame) {
        zoomed = frame;
        layout();
        highlight();
        remember();
    }

    function reset() {
        focused = null;
        hidden = [];
        derive();
    }

    /* The given picture without hidden functions (what they called is their callers' then), or only
     * what is below the function in focus, all its calls together. */
    function derive() {
        picture = pictures.given;
        if (focused !== null || hidden.length) picture = arrange(merged(), pictures.given.heights);
        frames.textContent = "";
        var all = document.createDocumentFragment();
        picture.list.forEach(function (frame) { all.appendChild(frame.node); });
        frames.appendChild(all);
        current = null;
        describe(null);
        zoom(picture.root);
    }

    function merged() {
        var given = pictures.given, target = { name: given.root.name, w: given.root.w, fill: given.root.fill, calls: {} };
        given.list.forEach(function (frame) { frame.below = []; });
        for (var level = 1; level < given.rows.length; level++)
            given.rows[level].forEach(function (frame) {
                var caller = at(level - 1, frame.x);
                if (caller) caller.below.push(frame);
            });
        function absorb(into, frame) {
            frame.below.forEach(function (below) {
                if (hidden.indexOf(below.name) >= 0) return absorb(into, below);
                var call = into.calls[" " + below.name]; // a blank, since names may be "__proto__"
                if (!call) call = into.calls[" " + below.name] = { name: below.name, w: 0, fill: below.fill, calls: {} };
                call.w += below.w;
                absorb(call, below);
            });
        }
        function gather(frame) { // the outermost calls of the function in focus
            if (frame.name !== focused) return frame.below.forEach(gather);
            target.w += frame.w;
            absorb(target, { below: [frame] });
        }
        if (focused === null) absorb(target, given.root);
        else {
            target.w = 0;
            gather(given.root);
        }
        return place(target);
    }

    function place(target) {
        var list = [];
        function put(call, x, level) {
            list.push(create(call, x, level));
            var below = Object.keys(call.calls).sort().map(function (key) { return call.calls[key]; });
            x += below.reduce(function (own, each) { return own - each.w; }, call.w);
            below.forEach(function (each) {
                put(each, x, level + 1);
                x += each.w;
            });
        }
        put(target, 0, 0);
        return list;
    }

    function create(call, x, level) {
        var given = pictures.given.root, node = document.createElementNS(SVG, "g");
        var frame = {
            node: node, rect: given.rect.cloneNode(), text: given.text.cloneNode(), fill: call.fill,
            name: call.name, counts: " (" + count(call.w) + ", " + (100 * call.w / total).toFixed(2) + "%)",
            x: x, w: call.w, y: null, level: level, className: "", label: null
        };
        var title = document.createElementNS(SVG, "title");
        title.textContent = frame.name + frame.counts;
        frame.rect.setAttribute("fill", call.fill);
        [title, frame.rect, frame.text].forEach(function (each) { node.appendChild(each); });
        return frame;
    }

    function focus(frame) {
        focused = frame.name;
        derive();
    }

    function hide(frame) {
        hidden.push(frame.name);
        if (focused === frame.name) focused = null;
        derive();
    }

    function turn() {
        turned = !turned;
        layout();
        remember();
    }

    function copy(frame) {
        var ask = function () { window.prompt("Copy the name:", frame.name); };
        if (!navigator.clipboard) return ask();
        navigator.clipboard.writeText(frame.name).then(function () { details.textContent = "Copied"; }, ask);
    }

    /* ---- one frame ---- */

    function describe(frame) { // its name is cut before its counts are
        if (!frame) return void (details.textContent = cutTo(idle, roomForDetails()));
        var start = setting("name-type") + " ", room = roomForDetails() - start.length - frame.counts.length;
        details.textContent = start + cutTo(frame.name, Math.max(room, 8)) + frame.counts;
    }

    function roomForDetails() {
        var taken = matched.classList.contains("hide") ? 0 : matched.textContent.length + 2;
        return Math.floor(widthPx / charPx) - taken;
    }

    function select(frame) {
        if (!frame || !frame.shown) return;
        var before = current;
        current = frame;
        if (before) mark(before);
        mark(frame);
        describe(frame);
    }

    /* Up and down follow the picture; left and right go to the neighbour in the same row. */
    function step(key) {
        if (!current || !current.shown) return select(zoomed);
        var row = picture.rows[current.level], way = key === "ArrowLeft" ? -1 : 1;
        if (key === "ArrowLeft" || key === "ArrowRight") {
            var place = row.indexOf(current) + way;
            while (row[place] && !row[place].shown) place += way;
            return select(row[place]);
        }
        var toRoot = (key === "ArrowUp") === (inverted !== turned);
        if (toRoot) return select(at(current.level - 1, current.x));
        select((picture.rows[current.level + 1] || []).filter(function (frame) {
            return frame.shown && covers(current, frame);
        }).sort(function (a, b) { return b.w - a.w; })[0]);
    }

    /* ---- the menu of one frame ---- */

    function choices(frame) {
        var own = kind === "graph" && frame !== picture.root;
        return [
            ["Zoom in (Enter)", function () { zoom(frame); }],
            own && ["Only its calls (F)", function () { focus(frame); }],
            own && ["Hide function (H)", function () { hide(frame); }],
            ["Search for it", function () { search("^" + frame.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "$"); }],
            ["Copy name (C)", function () { copy(frame); }],
            ["Upside down (U)", turn],
            ["Reset all (Esc)", function () { search(""); reset(); }]
        ].filter(Boolean);
    }

    function openMenu(frame, x, y) {
        closeMenu();
        select(frame);
        var rows = choices(frame), width = 20 * charPx + 2 * PAD;
        var box = svg.getBoundingClientRect(), scale = widthPx + 2 * PAD;
        scale = svg.hasAttribute("viewBox") ? scale / box.width : 1;
        var rowPx = Math.min(MENU_ROW, (box.height * scale - 2) / rows.length);
        x = Math.max(Math.min((x - box.left) * scale, widthPx + PAD - width), 0);
        y = Math.max(Math.min((y - box.top) * scale, box.height * scale - rows.length * rowPx - 1), 0);
        menu = svg.appendChild(document.createElementNS(SVG, "g"));
        menu.id = "menu";
        menu.setAttribute("role", "menu");
        rows.forEach(function (row, i) {
            var item = menu.appendChild(document.createElementNS(SVG, "g"));
            var rect = item.appendChild(document.createElementNS(SVG, "rect"));
            var text = item.appendChild(document.createElementNS(SVG, "text"));
            set(item, { role: "menuitem", tabindex: "-1" });
            set(rect, { x: x, y: y + i * rowPx, width: width, height: rowPx });
            set(text, { x: x + PAD, y: y + (i + 0.5) * rowPx + fontPx / 3 });
            text.textContent = row[0];
            item.flameChoice = row[1];
        });
        menu.firstChild.focus();
    }

    function set(node, attributes) {
        Object.keys(attributes).forEach(function (name) { node.setAttribute(name, attributes[name]); });
    }

    function closeMenu() {
        if (!menu) return;
        svg.removeChild(menu);
        menu = null;
        frames.focus();
    }

    function menuKey(event) {
        var items = Array.prototype.slice.call(menu.children), place = items.indexOf(document.activeElement);
        var steps = { ArrowDown: 1, ArrowUp: -1 };
        if (event.key in steps) items[(place + steps[event.key] + items.length) % items.length].focus();
        else if (event.key === "Enter" || event.key === " ") choose(items[place]);
        else closeMenu();
        event.preventDefault();
    }

    function choose(item) {
        closeMenu();
        if (item) item.flameChoice();
    }

    /* ---- state in the address: ?x=&y=&s=..., or behind # where a file may not change it ---- */

    function remember() {
        if (!alone) return; // the address is the page's
        var query = new URLSearchParams();
        if (zoomed !== picture.root) {
            query.set("x", zoomed.x);
            query.set("y", picture.heights[zoomed.level]);
        }
        if (expression) query.set("s", pattern);
        if (ignoreCase) query.set("i", "1");
        if (focused !== null) query.set("f", focused);
        hidden.forEach(function (name) { query.append("h", name); });
        if (turned) query.set("u", "1");
        var text = query.toString();
        try {
            history.replaceState(null, "", location.pathname + (text ? "?" + text : ""));
        } catch (error) {
            location.hash = text;
        }
    }

    function restore() {
        if (!alone) return;
        var query = new URLSearchParams(location.hash.length > 1 ? location.hash.slice(1) : location.search);
        var x = Number(query.get("x")), text = query.get("s"), known = {};
        ignoreCase = query.get("i") === "1";
        showCase();
        turned = query.get("u") === "1";
        picture.list.forEach(function (frame) { known[" " + frame.name] = true; });
        var isKnown = function (name) { return name !== null && known[" " + name] && kind === "graph"; };
        focused = isKnown(query.get("f")) ? query.get("f") : null;
        hidden = query.getAll("h").filter(isKnown);
        if (focused !== null || hidden.length) derive();
        else if (turned) layout();
        var row = picture.rows[picture.heights.indexOf(Number(query.get("y")))] || [];
        var frame = query.has("x") && row.filter(function (each) { return each.x === x; })[0];
        if (frame) zoom(frame);
        if (text) search(text);
    }

    /* ---- what the user does ---- */

    function key(event) {
        if (menu) return menuKey(event);
        var control = event.ctrlKey || event.metaKey, plain = !control && !event.altKey;
        var letter = plain ? event.key.toLowerCase() : "";
        if ((control && event.key === "f") || event.key === "F3" || letter === "/") askSearch();
        else if (control && event.key === "i") toggleCase();
        else if (event.key === "Escape") { if (expression) search(""); else reset(); }
        else if (plain && (event.key === "Enter" || event.key === " ") && press(event.target)) { /* done */ }
        else if (event.key === "Enter" && current) zoom(current);
        else if (/^Arrow/.test(event.key) && plain) step(event.key);
        else if (letter === "u") turn();
        else if (letter === "m" && current) menuAt(current);
        else if (letter === "c" && current) copy(current);
        else if (letter === "f" && current && kind === "graph" && current !== picture.root) focus(current);
        else if (letter === "h" && current && kind === "graph" && current !== picture.root) hide(current);
        else return;
        event.preventDefault();
    }

    function menuAt(frame) {
        var box = frame.rect.getBoundingClientRect();
        openMenu(frame, box.left, box.bottom);
    }

    function press(node) {
        if (node === unzoomButton) reset();
        else if (node === searchButton) askSearch();
        else if (node === caseButton) toggleCase();
        else return false;
        return true;
    }

    function frameOf(node) {
        while (node && node !== svg && !node.flameFrame) node = node.parentNode;
        return node && node.flameFrame;
    }

    function click(event) {
        if (menu) return choose(menu.contains(event.target) ? event.target.parentNode : null);
        var frame = frameOf(event.target);
        if (press(event.target) || !frame) return;
        if (frame.node.localName === "a" && !event.ctrlKey && !event.metaKey) return; // a link is followed
        event.preventDefault();
        select(frame);
        zoom(frame);
    }

    [unzoomButton, searchButton, caseButton].forEach(function (node) {
        set(node, { role: "button", tabindex: "0" });
    });
    caseButton.setAttribute("aria-label", "ignore case");
    set(frames, {
        tabindex: "0", role: "application",
        "aria-label": "Frames: arrow keys go from one to the next, Enter zooms, M opens a menu"
    });
    frames.addEventListener("focus", function () { if (!current) select(zoomed); });
    svg.addEventListener("click", click);
    svg.addEventListener("contextmenu", function (event) {
        var frame = frameOf(event.target) || (event.target === frames && current);
        if (!frame || event.shiftKey) return;
        event.preventDefault();
        if (event.clientX || event.clientY) openMenu(frame, event.clientX, event.clientY);
        else menuAt(frame);
    });
    svg.addEventListener("mouseover", function (event) { describe(frameOf(event.target) || current); });
    svg.addEventListener("mouseout", function () { describe(current); });
    (alone ? window : svg).addEventListener("keydown", key);
    window.addEventListener("resize", resize);
    window.addEventListener("scroll", stick);
    if (!alone && window.ResizeObserver) new ResizeObserver(resize).observe(svg);
    widthPx = 0; // so that the first call does all
    if (setting("fluid") !== "1") widthPx = Number(frames.getAttribute("width"));
    resize();
    restore();
}
