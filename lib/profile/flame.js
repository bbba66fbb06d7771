"use strict";
/* One flame graph: zoom, search, keyboard, state in the address. Runs in an SVG that was opened by
 * itself and in any number of them inside one HTML page, so nothing here is global but `init`. */
function init(event) {
    var svg = event.target.closest ? event.target.closest("svg") : event.target;
    if (!svg || svg.pkReady) return;
    svg.pkReady = true;
    flameGraph(svg);
}

function flameGraph(svg) {
    var LABEL_LEAST = 3, LABEL_PAD_PX = 3, XPAD = 10;
    var frames = svg.querySelector("#frames");
    if (!frames) return;
    var setting = function (name) { return frames.getAttribute("data-" + name); };
    var inverted = setting("inverted") === "1";
    var truncateRight = setting("truncate-right") === "1";
    var fluid = setting("fluid") === "1";
    var nameType = setting("name-type");
    var charPx = parseFloat(setting("font-size")) * parseFloat(setting("font-width"));
    var searchColour = setting("search-colour");
    var total = parseFloat(frames.getAttribute("total_samples"));
    var element = function (id) { return svg.querySelector("#" + id); };
    var details = element("details"), unzoomButton = element("unzoom");
    var searchButton = element("search"), matched = element("matched");
    var caseButton = element("ignorecase"), titleText = element("title");
    var fullTitle = titleText ? titleText.textContent : "";

    var all = [];  // in drawing order
    var rows = {}; // y -> frames, by x
    Array.prototype.forEach.call(frames.children, function (node, index) {
        var rect = node.querySelector("rect"), text = node.querySelector("text");
        var title = node.querySelector("title").textContent;
        var cut = title.lastIndexOf(" (");
        var frame = {
            node: node, rect: rect, text: text, title: title, index: index,
            name: cut > 0 ? title.slice(0, cut) : title,
            x: parseFloat(rect.getAttribute("fg:x")), w: parseFloat(rect.getAttribute("fg:w")),
            y: parseFloat(rect.getAttribute("y")), fill: rect.getAttribute("fill"),
            shown: true, parent: false, left: 0, width: 0
        };
        node.pkFrame = frame;
        all.push(frame);
        (rows[frame.y] = rows[frame.y] || []).push(frame);
    });
    Object.keys(rows).forEach(function (y) { rows[y].sort(function (a, b) { return a.x - b.x; }); });
    var heights = Object.keys(rows).map(Number).sort(function (a, b) { return a - b; });
    if (!inverted) heights.reverse(); // heights[depth]
    var root = all.length ? rows[heights[0]][0] : null;
    var zoomed = root, current = null, expression = null, pattern = "", ignoreCase = false;

    function depth(frame) { return heights.indexOf(frame.y); }
    function covers(outer, inner) { return outer.x <= inner.x && outer.x + outer.w >= inner.x + inner.w; }
    function at(level, x) { // the frame of this depth that covers x
        var row = rows[heights[level]] || [], low = 0, high = row.length - 1;
        while (low <= high) {
            var middle = (low + high) >> 1;
            if (row[middle].x > x) high = middle - 1;
            else if (row[middle].x + row[middle].w <= x) low = middle + 1;
            else return row[middle];
        }
        return null;
    }

    /* ---- layout: all is computed first and written then, so the browser lays out once ---- */

    function label(frame, widthPx) {
        var room = Math.floor((widthPx - 2 * LABEL_PAD_PX) / charPx);
        if (frame === root || room < LABEL_LEAST) return "";
        if (frame.name.length <= room) return frame.name;
        if (truncateRight) return frame.name.slice(0, room - 2) + "..";
        return ".." + frame.name.slice(frame.name.length - room + 2);
    }

    function layout() {
        var widthPx = parseFloat(frames.getAttribute("width"));
        var level = depth(zoomed);
        all.forEach(function (frame) {
            var above = depth(frame) >= level;
            frame.parent = !above && covers(frame, zoomed);
            frame.shown = frame.parent || (above && covers(zoomed, frame));
            frame.left = frame.parent ? 0 : 100 * (frame.x - zoomed.x) / zoomed.w;
            frame.width = frame.parent ? 100 : 100 * frame.w / zoomed.w;
        });
        all.forEach(function (frame) {
            frame.node.setAttribute("class", (!frame.shown ? "hide" : frame.parent ? "parent" : "")
                                             + (frame === current ? " current" : ""));
            if (!frame.shown) return;
            frame.rect.setAttribute("x", frame.left.toFixed(4) + "%");
            frame.rect.setAttribute("width", frame.width.toFixed(4) + "%");
            frame.text.setAttribute("x", (frame.left + 100 * LABEL_PAD_PX / widthPx).toFixed(4) + "%");
            frame.text.textContent = label(frame, widthPx * frame.width / 100);
        });
        show(unzoomButton, zoomed !== root);
    }

    function resize() {
        if (!fluid) return;
        svg.removeAttribute("viewBox");
        svg.setAttribute("width", "100%");
        var width = svg.getBoundingClientRect().width || 1200;
        frames.setAttribute("width", Math.max(width - 2 * XPAD, 40));
        [searchButton, matched].forEach(function (text) { text.setAttribute("x", width - XPAD); });
        if (caseButton) caseButton.setAttribute("x", width - XPAD - 14 * charPx);
        if (titleText) { // leaves room for the buttons at its sides
            var room = Math.max(Math.floor((width - 240) / (charPx * 17 / 12)), 8);
            titleText.textContent = fullTitle.length <= room ? fullTitle
                                                             : fullTitle.slice(0, room - 2) + "..";
        }
        layout();
    }

    function show(node, visible) { node.classList.toggle("hide", !visible); }

    /* ---- search ---- */

    function highlight() {
        var hits = [];
        all.forEach(function (frame) {
            frame.hit = !!expression && expression.test(frame.title) && frame !== root;
            frame.rect.setAttribute("fill", frame.hit ? searchColour : frame.fill);
            if (frame.hit && frame.shown && !frame.parent) hits.push(frame);
        });
        searchButton.textContent = expression ? "Reset Search" : "Search";
        searchButton.classList.toggle("show", !!expression);
        show(matched, !!expression);
        if (!expression) return;
        hits.sort(function (a, b) { return a.x - b.x || b.w - a.w; });
        var sum = 0, end = -1; // what lies within a match counts once
        hits.forEach(function (frame) {
            if (frame.x < end) return;
            sum += frame.w;
            end = frame.x + frame.w;
        });
        var percent = zoomed.w > 0 ? 100 * sum / zoomed.w : 0;
        matched.textContent = "Matched: " + percent.toFixed(1) + "%";
    }

    function search(text) {
        try {
            expression = text ? new RegExp(text, ignoreCase ? "i" : "") : null;
            pattern = text || "";
            highlight();
        } catch (error) {
            expression = null;
            highlight();
            details.textContent = " ";
            matched.textContent = "Not a regular expression: " + text;
            show(matched, true);
        }
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
        caseButton.classList.toggle("show", ignoreCase);
        if (expression) search(pattern);
        else remember();
    }

    /* ---- zoom ---- */

    function zoom(frame) {
        zoomed = frame || root;
        layout();
        highlight();
        remember();
    }

    function describe(frame) {
        details.textContent = frame ? nameType + " " + frame.title : " ";
    }

    function select(frame) {
        if (!frame || !frame.shown) return;
        if (current) current.node.classList.remove("current");
        current = frame;
        frame.node.classList.add("current");
        describe(frame);
    }

    /* Up and down follow the picture; left and right go to the neighbour in the same row. */
    function step(key) {
        if (!current || !current.shown) return select(zoomed);
        var level = depth(current), row = rows[current.y], place = row.indexOf(current);
        var down = inverted ? "ArrowUp" : "ArrowDown";
        if (key === "ArrowLeft") return select(row[place - 1]);
        if (key === "ArrowRight") return select(row[place + 1]);
        if (key === down) return select(at(level - 1, current.x));
        var child = (rows[heights[level + 1]] || []).filter(function (frame) {
            return covers(current, frame);
        }).sort(function (a, b) { return b.w - a.w; })[0];
        select(child);
    }

    function key(event) {
        var control = event.ctrlKey || event.metaKey;
        if ((control && event.key === "f") || event.key === "F3") askSearch();
        else if (control && event.key === "i") toggleCase();
        else if (event.key === "Escape") { if (expression) search(""); else zoom(root); }
        else if (event.key === "Enter" && current) zoom(current);
        else if (/^Arrow/.test(event.key) && !control && !event.altKey) step(event.key);
        else return;
        event.preventDefault();
    }

    /* ---- state in the address: ?x=&y=&s=&i=, or behind # where a file may not change it ---- */

    function remember() {
        if (svg !== document.documentElement) return; // a part of a page: the address is the page's
        var query = new URLSearchParams();
        if (zoomed !== root) {
            query.set("x", zoomed.x);
            query.set("y", zoomed.y);
        }
        if (expression) query.set("s", pattern);
        if (ignoreCase) query.set("i", "1");
        var text = query.toString();
        try {
            history.replaceState(null, "", location.pathname + (text ? "?" + text : ""));
        } catch (error) {
            location.hash = text;
        }
    }

    function restore() {
        if (svg !== document.documentElement) return;
        var query = new URLSearchParams(location.search || location.hash.slice(1));
        var x = parseFloat(query.get("x")), row = rows[query.get("y")] || [];
        var frame = row.filter(function (each) { return each.x === x; })[0];
        var text = query.get("s");
        ignoreCase = query.get("i") === "1";
        if (caseButton) caseButton.classList.toggle("show", ignoreCase);
        if (frame) zoom(frame);
        if (text) search(text);
    }

    function frameOf(node) {
        while (node && node !== svg && !node.pkFrame) node = node.parentNode;
        return node && node.pkFrame;
    }

    if (!root) return;
    svg.addEventListener("click", function (event) {
        var frame = frameOf(event.target);
        if (event.target === unzoomButton) zoom(root);
        else if (event.target === searchButton) askSearch();
        else if (event.target === caseButton) toggleCase();
        else if (frame && (frame.node.localName !== "a" || event.ctrlKey)) {
            event.preventDefault();
            select(frame);
            zoom(frame);
        }
    });
    svg.addEventListener("mouseover", function (event) { describe(frameOf(event.target)); });
    svg.addEventListener("mouseout", function () { describe(null); });
    (svg === document.documentElement ? window : svg).addEventListener("keydown", key);
    window.addEventListener("resize", resize);
    resize();
    layout();
    restore();
}
