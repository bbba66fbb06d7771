// Looks at every page below a folder as a person would: at 1280 and 390 pixels, light and dark, with
// and without scripts, on paper.
//
//   NODE_PATH=.../node_modules node pages.js CHROMIUM FOLDER SCREENSHOTS
'use strict';
const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');
const { chromium } = require('playwright-core');
const [executablePath, folder, shots] = process.argv.slice(2);

const UNIT = /\((?:ps|ns|µs|ms|s|%|(?:[KMG]iB|B)(?:\/s)?|[kMG]?\/s|[KMG]?elem\/s|1\/(?:ps|ns|µs|ms|s))\)$/;
const UNITLESS = /^(?:worker|run|run, the oldest first|parameter|allocations|size, from|times the reference)$/;
const TYPE_MIN_PX = 9.5;

function pagesBelow(dir) {
    return fs.readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
        const full = path.join(dir, entry.name);
        if (entry.isDirectory()) return pagesBelow(full);
        return entry.name.endsWith('.html') ? [full] : [];
    }).sort();
}

// Of one function at several values only the last: those pages differ in their figures alone.
function withoutTwins(files) {
    const last = new Map(files.map((file) => {
        const parts = path.relative(folder, file).split(path.sep);
        return [parts.length === 5 ? parts.slice(0, 2).join('/') : file, file];
    }));
    return [...last.values()];
}

// Runs inside the page. Returns what it found; judging is done outside.
function inspect() {
    const lin = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgb = (css) => { // any notation of a colour, as the browser itself reads it
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = css;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (css) => {
        const [r, g, b] = rgb(css).map((c) => lin(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05);
    };
    const background = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const css = getComputedStyle(e).backgroundColor;
            if (rgb(css)[3] > 250) return css;
        }
        return 'white';
    };
    const words = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;

    const found = [];
    for (const e of document.querySelectorAll('body *')) {
        if (!words(e) || ['TITLE', 'DESC'].includes(e.tagName.toUpperCase())) continue;
        if (!e.checkVisibility()) continue;
        if (e.closest('.picture svg')) continue; // labels on coloured frames
        const style = getComputedStyle(e);
        const ratio = contrast(e.closest('svg') ? style.fill : style.color, background(e));
        if (ratio < 4.5 /* WCAG 2.1, 1.4.3 */) found.push(`contrast ${ratio.toFixed(2)} of "${e.textContent.trim().slice(0, 40)}"`);
    }
    const charts = [...document.querySelectorAll('svg.chart')].map((svg) => {
        const frame = svg.getBoundingClientRect();
        const scale = frame.width / svg.viewBox.baseVal.width;
        const texts = [...svg.querySelectorAll('text')];
        const boxes = texts.map((t) => t.getBoundingClientRect());
        const shown = (t) => [...t.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join('');
        const name = shown(texts[0]);
        for (let i = 0; i < boxes.length; i++) {
            const b = boxes[i];
            if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 ||
                b.bottom > frame.bottom + 1) found.push(`"${shown(texts[i])}" sticks out of "${name}"`);
            for (let k = 0; k < i; k++)
                if (overlap(b, boxes[k]))
                    found.push(`"${shown(texts[i])}" lies on "${shown(texts[k])}" in "${name}"`);
        }
        const ids = (svg.getAttribute('aria-labelledby') || '').split(' ');
        return {
            name,
            role: svg.getAttribute('role'),
            alternative: ids.map((id) => (document.getElementById(id) || {}).textContent || ''),
            labels: [...svg.querySelectorAll('.label')].map(shown),
            ticks: [...svg.querySelectorAll('.tick')].map(shown),
            marks: svg.querySelectorAll('.mark path, .mark circle, .mark rect').length,
            type: Math.min(...texts.map((t) => parseFloat(getComputedStyle(t).fontSize) * scale)),
        };
    });
    return {
        found, charts,
        title: document.title,
        headings: document.querySelectorAll('h1').length,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        ground: luminance(getComputedStyle(document.documentElement).backgroundColor),
        captions: document.querySelectorAll('figure:not(.picture) figcaption').length,
        figures: document.querySelectorAll('figure:not(.picture)').length,
        odd: (document.body.innerText.match(/\b(?:NaN|undefined|Infinity|-?inf|\(null\))\b/g) || []),
        links: [...document.querySelectorAll('a')].map((a) => a.href),
    };
}

function judgeChart(chart, say) {
    const in_ = ` in "${chart.name}"`;
    if (chart.role !== 'img') say(`no role${in_}`);
    if (chart.alternative.length !== 2 || chart.alternative.some((t) => !t)) say(`no text alternative${in_}`);
    if (!(chart.type >= TYPE_MIN_PX)) say(`type of ${chart.type.toFixed(1)} px${in_}`);
    if (chart.marks === 0) return; // it says that nothing was measured
    if (chart.labels.length === 0) say(`no described axis${in_}`);
    if (chart.ticks.length < 2) say(`fewer than 2 ticks${in_}`);
    for (const label of chart.labels) {
        const plain = label.replace(/, logarithmic$/, '');
        const own = plain !== label && chart.ticks.some((t) => / (?:ps|ns|µs|ms|s|[KMG]?elem\/s|[KMG]?i?B\/s)$/.test(t));
        if (!UNIT.test(plain) && !UNITLESS.test(plain) && !own) say(`no unit at "${label}"${in_}`);
    }
}

function judgeLinks(links, say) {
    for (const link of links) {
        const url = new URL(link);
        if (url.protocol !== 'file:') say(`a link to the outside: ${link}`);
        else if (!fs.existsSync(url)) say(`a link to nowhere: ${link}`);
    }
}

async function look(context, file, width, colorScheme) {
    const wrong = [];
    const say = (what) => { if (!wrong.includes(what)) wrong.push(what); };
    const page = await context.newPage();
    try {
        page.on('pageerror', (e) => say(`script error: ${e.message}`));
        page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) say(`console: ${m.text()}`); });
        page.on('request', (r) => { if (!r.isNavigationRequest()) say(`it loads ${r.url()}`); });
        await page.goto(pathToFileURL(file).href);
        const name = path.relative(folder, path.dirname(file)).replace(/[^A-Za-z0-9]+/g, '_');
        await page.screenshot({ path: path.join(shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        const seen = await page.evaluate(inspect);
        seen.found.forEach(say);
        if (!seen.title || seen.headings !== 1) say('no title, or not one heading');
        if (seen.overflow > 0) say(`${seen.overflow} px wider than the screen`);
        if (colorScheme === 'dark' ? seen.ground > 0.05 : seen.ground < 0.8) say(`a background of luminance ${seen.ground} in ${colorScheme}`);
        if (seen.figures !== seen.charts.length || seen.captions !== seen.figures) say('a figure without chart or caption');
        if (seen.odd.length) say(`the text holds ${seen.odd.join(' ')}`);
        seen.charts.forEach((chart) => judgeChart(chart, say));
        judgeLinks(seen.links, say);
        for (const details of await page.locator('summary').all()) { // the values: fold out by click
            await details.click();
            if (!await details.locator('xpath=../div/table').first().isVisible()) say('values that do not unfold');
        }
        const unfolded = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (unfolded > 0) say(`${unfolded} px wider than the screen, unfolded`);
        await page.emulateMedia({ media: 'print', colorScheme });
        const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
        if (paper !== 'rgb(255, 255, 255)') say(`paper is ${paper}`);
    } finally {
        await page.close();
    }
    return wrong;
}

async function main() {
    const files = withoutTwins(pagesBelow(folder));
    const ways = [[1280, 'light', true], [1280, 'dark', false], [390, 'light', false], [390, 'dark', true]];
    console.log(`1..${files.length * ways.length}`);
    if (files.length === 0) throw new Error(`no pages below ${folder}`);
    const browser = await chromium.launch({ executablePath, timeout: 60000 });
    let n = 0, failed = 0;
    for (const [width, colorScheme, javaScriptEnabled] of ways) {
        const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled });
        for (const file of files) {
            const wrong = await look(context, file, width, colorScheme).catch((e) => [String(e)]);
            const title = `${path.relative(folder, file)} at ${width}, ${colorScheme}, ${javaScriptEnabled ? 'with' : 'without'} scripts`;
            console.log(`${wrong.length ? 'not ' : ''}ok ${++n} - ${title}`);
            wrong.slice(0, 12).forEach((what) => console.log(`# ${what}`));
            failed += wrong.length > 0;
        }
        await context.close();
    }
    await browser.close();
    return failed ? 1 : 0;
}

main().then((status) => process.exit(status), (e) => {
    console.log(`not ok - ${e.message.split('\n')[0]}`);
    process.exit(1);
});
