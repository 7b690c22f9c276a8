/// How the page looks: light and dark, on a screen and on paper. Colours are those of Okabe and Ito, which people
/// with any kind of colour vision can tell apart; states differ in lightness besides.
enum ReportStyle {
    static let css = """
        :root { color-scheme: light dark;
          --page: #fbfbfa; --card: #ffffff; --ink: #1d2126; --soft: #5c6670; --rule: #dfe3e6; --grid: #eceff1;
          --c0: #5c6670; --c1: #0072b2; --c2: #56a9d9; --c3: #e08e00; --c4: #cc4b00; --c5: #009e73; --c6: #b9c0c6;
          --c7: #a8568f; --pass: #00795a; --fail: #b83200; --inconclusive: #8a5a00;
          --broken: #d55e00; --kind: #1d2126; --band: rgba(213, 94, 0, .09);
          --ready: #7cc7ae; --degraded: #f0b429; --unready: #cc4b00; --unreachable: #39424a; }
        @media (prefers-color-scheme: dark) { :root {
          --page: #14171a; --card: #1b1f23; --ink: #e4e8eb; --soft: #9aa5ae; --rule: #323a41; --grid: #262c31;
          --c0: #9aa5ae; --c1: #58b0e8; --c2: #2f7fae; --c3: #f0a830; --c4: #ef7a3a; --c5: #2cc295; --c6: #56616a;
          --c7: #d58bbf; --pass: #2cc295; --fail: #ff7d4d; --inconclusive: #f0b429;
          --broken: #e0702a; --kind: #f4f6f7; --band: rgba(239, 122, 58, .13);
          --ready: #2f8f73; --degraded: #d9a11f; --unready: #ef6a2a; --unreachable: #a9b3bb; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
        main { max-width: 1280px; margin: 0 auto; padding: 28px 24px 60px; }
        h1 { font-size: 15px; font-weight: 600; margin: 0; color: var(--soft); letter-spacing: .02em; }
        h2 { font-size: 19px; margin: 40px 0 10px; }
        p { margin: 6px 0; max-width: 110ch; } .quiet { color: var(--soft); }
        code, pre { font: 13px/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; }
        .banner { border: 1px solid var(--rule); border-left: 8px solid var(--verdict); border-radius: 8px;
          background: var(--card); padding: 18px 24px 20px; margin-top: 12px; }
        .banner .word { font-size: 34px; line-height: 1.2; font-weight: 750; color: var(--verdict);
          letter-spacing: .01em; }
        .banner .says { font-size: 17px; margin: 4px 0 12px; max-width: none; }
        .pass { --verdict: var(--pass); } .fail { --verdict: var(--fail); }
        .inconclusive { --verdict: var(--inconclusive); }
        .again { display: block; background: var(--grid); border-radius: 5px; padding: 8px 12px;
          overflow-wrap: anywhere; user-select: all; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
          margin: 16px 0 0; padding: 0; }
        .tile { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; }
        .tile b { display: block; font-size: 22px; font-weight: 650; line-height: 1.3;
          font-variant-numeric: tabular-nums; }
        .tile span { color: var(--soft); font-size: 13px; }
        .card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 8px 10px;
          overflow-x: auto; position: relative; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
        th { text-align: left; color: var(--soft); font-weight: 500; font-size: 13px; }
        th, td { padding: 5px 12px 5px 6px; border-bottom: 1px solid var(--rule); vertical-align: top; }
        td { overflow-wrap: anywhere; }
        tr:last-child td { border-bottom: 0; }
        .right { text-align: right; white-space: nowrap; }
        .bar { width: 22%; min-width: 110px; vertical-align: middle; }
        .bar i { display: block; height: 9px; border-radius: 2px; background: var(--broken); min-width: 1px; }
        .ok { color: var(--pass); font-weight: 600; white-space: nowrap; }
        .bad { color: var(--fail); font-weight: 700; white-space: nowrap; }
        .proof { border-left: 4px solid var(--fail); margin: 14px 0; padding: 2px 0 2px 14px; }
        .proof pre { margin: 6px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--grid);
          border-radius: 5px; padding: 8px 12px; }
        .proof pre b { color: var(--soft); font-weight: 500; }
        .timeline { display: block; width: 100%; min-width: 860px; height: auto;
          font: 11.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        .timeline text { fill: var(--ink); } .timeline .title { font-size: 14px; font-weight: 650; }
        .timeline .note { fill: var(--soft); font-size: 11.5px; font-weight: 400; }
        .timeline .tick { fill: var(--soft); font-size: 11.5px; }
        .timeline tspan.fill { fill: var(--c); } .timeline tspan { font-size: 12px; }
        .end { text-anchor: end; } .middle { text-anchor: middle; }
        .timeline .grid { stroke: var(--grid); } .timeline .base { stroke: var(--rule); }
        .timeline .stage { stroke: var(--soft); stroke-dasharray: 2 3; }
        .timeline .cross { stroke: var(--ink); opacity: 0; pointer-events: none; }
        .line { fill: none; stroke: var(--c); stroke-width: 1.6; stroke-linejoin: round; }
        .dashed { stroke-dasharray: 5 3; } .fill { fill: var(--c); } .area { fill: var(--c); opacity: .28; }
        .c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
        .c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }
        .band { fill: var(--band); }
        .broken { fill: var(--broken); } .several { stroke: var(--card); } .tail { fill: var(--broken); }
        .recovering { fill: url(#tail); stroke: var(--broken); stroke-width: .6; }
        .timeline .kind { fill: var(--kind); font-size: 11px; paint-order: stroke; stroke: var(--card);
          stroke-width: 2.5px; stroke-linejoin: round; }
        .fault:hover rect { stroke: var(--ink); stroke-width: 1.4; }
        .ready { fill: var(--ready); } .degraded { fill: var(--degraded); } .unready { fill: var(--unready); }
        .unreachable { fill: var(--unreachable); } .state:hover { stroke: var(--ink); }
        #readout { position: fixed; display: none; pointer-events: none; background: var(--card); color: var(--ink);
          border: 1px solid var(--rule); border-radius: 6px; padding: 8px 12px; font-size: 12.5px; line-height: 1.45;
          box-shadow: 0 4px 18px rgba(0, 0, 0, .22); font-variant-numeric: tabular-nums; z-index: 2; }
        #readout table { font-size: 12.5px; width: auto; } #readout td { padding: 0 10px 0 0; border: 0; }
        #readout .head td { color: var(--soft); padding-top: 4px; }
        #readout i { display: inline-block; width: 9px; height: 9px; border-radius: 2px; background: var(--c);
          margin-right: 6px; }
        @media print { @page { size: A4 landscape; margin: 10mm; }
          :root { color-scheme: light; } body { background: #fff; font-size: 12px; }
          main { max-width: none; padding: 0; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          .card { overflow: visible; } .timeline { min-width: 0; max-height: 185mm; }
          tr, .proof, .banner, .timeline { break-inside: avoid; } h2 { break-after: avoid; } }
        """

    /// Shows the values under the pointer. The page is whole without it.
    static let script = """
        (function () {
          var svg = document.getElementById("timeline"), data = document.getElementById("values");
          var cross = document.getElementById("cross"), box = document.getElementById("readout");
          if (!svg || !data || !cross || !box) return;
          var run = JSON.parse(data.textContent);
          function row(cells, head) {
            var tr = document.createElement("tr");
            if (head) tr.className = "head";
            cells.forEach(function (cell) { tr.appendChild(cell); });
            return tr;
          }
          function cell(text, color) {
            var td = document.createElement("td");
            if (color) {
              var mark = document.createElement("i");
              mark.className = color;
              td.appendChild(mark);
            }
            td.appendChild(document.createTextNode(text));
            return td;
          }
          svg.addEventListener("pointermove", function (event) {
            var frame = svg.getBoundingClientRect();
            var x = (event.clientX - frame.left) * run.width / frame.width;
            var part = Math.floor((x - run.left) / (run.right - run.left) * run.times.length);
            if (part < 0 || part >= run.times.length) return hide();
            var place = run.left + (part + .5) / run.times.length * (run.right - run.left);
            cross.setAttribute("x1", place);
            cross.setAttribute("x2", place);
            cross.style.opacity = .7;
            var table = document.createElement("table");
            table.appendChild(row([cell(run.times[part])], false));
            run.plots.forEach(function (plot) {
              table.appendChild(row([cell(plot.title)], true));
              plot.series.forEach(function (series) {
                var value = series.values[part];
                if (value !== null) table.appendChild(row([cell(series.name, series.color), cell(value)], false));
              });
            });
            box.replaceChildren(table);
            box.style.display = "block";
            var left = event.clientX + 18;
            if (left + box.offsetWidth > innerWidth - 8) left = event.clientX - box.offsetWidth - 18;
            box.style.left = Math.max(4, left) + "px";
            var top = Math.min(event.clientY - 20, innerHeight - box.offsetHeight - 8);
            box.style.top = Math.max(4, top) + "px";
          });
          function hide() {
            cross.style.opacity = 0;
            box.style.display = "none";
          }
          svg.addEventListener("pointerleave", hide);
        })();
        """
}
