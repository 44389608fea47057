/** The look of the network's page: one column of tables that reads well in light and dark, on a telephone and on paper. */
export const HOME_PAGE_STYLE = `:root{--ink:#1c2a1e;--paper:#fbfcf9;--line:#d9e2d5;--soft:#66756a;--leaf:#2f6b3a;--berry:#9b2c3f;--hip:#9a6a12}
@media screen{html{color-scheme:light dark}}@media screen and (prefers-color-scheme:dark){:root{--ink:#dfe7dd;--paper:#131914;--line:#2e3a31;--soft:#93a297;--leaf:#8fce9b;--berry:#f0929f;--hip:#e3b55c}}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:0 auto;padding:1.5rem 1rem 3rem;color:var(--ink);background:var(--paper)}
header{border-bottom:3px solid var(--leaf);padding-bottom:.8rem;margin-bottom:1.5rem}h1{margin:0;font-size:1.7rem;letter-spacing:-.01em}
h1 small,h3 small,td small{color:var(--soft);font-weight:400}header p{margin:.1rem 0 .5rem;color:var(--soft)}nav a{margin-right:1.2rem;white-space:nowrap}h3{overflow-wrap:anywhere}a{color:var(--leaf)}
section{margin:2rem 0}h2{font-size:1.15rem;margin:0 0 .2rem}h3{font-size:1rem;margin:1rem 0 .3rem}section>p{margin:.1rem 0 .6rem;color:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}th{text-align:left;font-weight:600;color:var(--soft);border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0;white-space:nowrap}
td{border-bottom:1px solid var(--line);padding:.35rem .8rem .35rem 0;vertical-align:top}th.r,td:has(>.n){text-align:right}th:last-child,td:last-child{padding-right:0}time,.n{font-variant-numeric:tabular-nums;white-space:nowrap}
b.approved{color:var(--leaf)}b.partial{color:var(--hip)}b.declined{color:var(--berry)}i,.empty,footer{color:var(--soft)}footer{border-top:1px solid var(--line);padding-top:.6rem;font-size:13px}
pre{font:13px/1.45 ui-monospace,monospace;border-left:3px solid var(--line);padding:.3rem .8rem;overflow-x:auto;margin:.3rem 0}
@media screen and (max-width:36rem){time{white-space:normal}}
@page{size:landscape}@media print{body{padding:0;max-width:none;background:none}.scroll{overflow:visible}table{font-size:11px}tr{break-inside:avoid}h2,h3{break-after:avoid}pre{white-space:pre-wrap;overflow-wrap:anywhere}}`
