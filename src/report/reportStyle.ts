/** The page's style sheet: system fonts, light and dark, no outside resources. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#667085;--rule:#e3e7ee;--accent:#3366cc;
--right:#2a9d63;--wrong:#d5453f;--rejected:#b8bec9;--candidate:#e0a526}
@media (prefers-color-scheme:dark){:root{--paper:#12161d;--card:#1b212b;--ink:#e8ecf2;--soft:#98a2b3;--rule:#2e3643;
--accent:#7aa2ff;--right:#43c385;--wrong:#ff6b64;--rejected:#566070;--candidate:#e8b84a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 60px}
h1{font-size:26px;margin:0 0 2px;letter-spacing:-.01em}
h2{font-size:15px;margin:0 0 8px}
p{margin:0 0 8px}
.soft{color:var(--soft);font-size:13px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(118px,1fr));gap:12px;margin:22px 0}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:13px 14px}
.tile b{display:block;font-size:21px;white-space:nowrap;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;line-height:1.2}
.tile span{color:var(--soft);font-size:12.5px}
.cards{columns:2;column-gap:16px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:16px 18px;margin:0 0 16px;break-inside:avoid}
.wide{column-span:all;margin-top:16px}
@media (max-width:760px){.cards{columns:1}}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font:11px system-ui,sans-serif}
.axis{font-size:12px}.strong{fill:var(--ink);font-weight:600}
.grid{stroke:var(--rule);fill:none}.line{stroke:var(--accent);stroke-width:2.2;fill:none;stroke-linejoin:round}
.area{fill:var(--accent);opacity:.1}.bar{fill:var(--accent)}.mark{fill:var(--card);stroke:var(--accent);stroke-width:2.2}
.ideal{stroke:var(--soft);stroke-dasharray:5 4;fill:none}.gap{stroke:var(--wrong);stroke-width:2;opacity:.6}
.cut{stroke:var(--wrong);stroke-dasharray:4 3;fill:none}
.right{fill:var(--right)}.wrong{fill:var(--wrong)}.rejected{fill:var(--rejected)}.reference{fill:var(--soft);opacity:.55}
.state-localized{fill:var(--right)}.state-candidate{fill:var(--candidate)}.state-lost{fill:var(--wrong)}.state-unknown{fill:var(--rejected)}
.key{display:inline-block;width:10px;height:10px;border-radius:50%;margin:0 5px 0 12px;vertical-align:-1px}
.key.right,.key.state-localized{background:var(--right)}.key.wrong,.key.state-lost{background:var(--wrong)}
.key.rejected,.key.state-unknown{background:var(--rejected)}.key.reference{background:var(--soft)}.key.state-candidate{background:var(--candidate)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:13.5px}
th{text-align:left;color:var(--soft);font-weight:500}th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--rule)}
td.n,th.n{text-align:right;padding-right:18px}tr:last-child td{border-bottom:0}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:16px}
.pair{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:4px}
figure{margin:0}figcaption{font-size:12px;color:var(--soft);overflow-wrap:anywhere}
img{display:block;width:100%;border-radius:4px;background:var(--rule)}
.scroll{overflow-x:auto;max-height:420px;overflow-y:auto}
`;
