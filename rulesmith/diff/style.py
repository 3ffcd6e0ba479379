"""How the HTML report looks. Nothing is loaded from anywhere."""

STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --dim: #57606a; --line: #d0d7de; --took: #3b7dd8;
  --stream: #c3d6f2; --copy: #8fb8ec; --drop: #9a6700; --lost: #c62828; --mark: #fff; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #e6edf3; --dim: #9198a1; --line: #3d444d;
  --took: #4f8fe6; --stream: #253c5a; --copy: #3b6396; --drop: #d29922; --lost: #f47067; --mark: #0d1117;
  --shade: #161b22; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem 1.5rem 3rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
p.about, .dim { color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--dim); padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { background: var(--shade); white-space: nowrap; overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
.mark { background: var(--lost); color: var(--mark); font-weight: 700; font-size: .8rem; padding: .1rem .4rem;
  border-radius: .25rem; margin-right: .5rem; }
ul { margin: .5rem 0 0; padding: 0; list-style: none; font-size: .875rem; }
li + li { margin-top: .4rem; }
.flows, .rules { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
figure, .side { flex: 1 1 26rem; min-width: 0; margin: 0; }
figcaption { font-weight: 600; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 13px system-ui, sans-serif; }
svg .dim { fill: var(--dim); font-size: 11px; }
.stream { fill: var(--stream); } .took { fill: var(--took); } .copy { fill: var(--copy); }
.drop { fill: var(--drop); } .lost { fill: var(--lost); }
svg .changed { font-weight: 700; }
@media print { .mark { border: 1px solid; } }
"""
