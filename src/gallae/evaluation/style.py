"""The style sheet of every page: light and dark, phone and paper."""

CSS = """\
:root{--ink:#1f2a36;--faint:#66717e;--grid:#dde2e8;--paper:#fff;--card:#f5f7f9;--link:#2f6fa8;
  --warn:#a85b10;--warn-card:#fdf3e7;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ee;--faint:#9da8b4;--grid:#36414d;--paper:#161b21;
  --card:#1f262e;--link:#7fb3dd;--warn:#eeb06b;--warn-card:#33271a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:62rem;background:var(--paper);color:var(--ink);
  font:16px/1.6 "Gallae Hangul","DejaVu Sans",system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.3rem;margin:2.75rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--grid)}
h3{font-size:1.05rem;margin:1.5rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
p,figcaption,.note{word-break:keep-all}
.faint,figcaption,caption{color:var(--faint);font-size:.88rem;line-height:1.5}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:1.1rem 0;font-size:.92rem}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1rem 0}
.card{background:var(--card);border-radius:.5rem;padding:.75rem .9rem}
.card b{display:block;font-size:1.5rem;line-height:1.3;font-variant-numeric:tabular-nums}
.card span{display:block;color:var(--faint);font-size:.84rem;line-height:1.45}
figure{margin:1rem 0;max-width:100%}
figure .plot{overflow-x:auto}
figure svg,figure img{max-width:100%;height:auto;display:block}
figure .wide svg{max-width:none}
figcaption{margin-top:.5rem;max-width:46rem}
.row{display:flex;flex-wrap:wrap;gap:.5rem 2rem;align-items:flex-start}
.row>*{flex:1 1 20rem;min-width:0}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.9rem;line-height:1.45}
caption{text-align:left;padding-bottom:.4rem}
th,td{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--grid);
  vertical-align:top}
th{color:var(--faint);font-weight:normal;overflow-wrap:normal;vertical-align:bottom}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.name{white-space:nowrap}
td.text{min-width:14rem}
.note{background:var(--card);border-left:3px solid var(--link);border-radius:.25rem;padding:.6rem .9rem;
  margin:1rem 0}
.note.warning{background:var(--warn-card);border-color:var(--warn)}
details{margin:1rem 0}
summary{cursor:pointer;color:var(--link)}
footer{margin-top:3rem;color:var(--faint);font-size:.84rem}
@media(max-width:40rem){body{padding:1.25rem .9rem 3rem;font-size:15px}h1{font-size:1.4rem}
  figure svg{max-width:max(100%,34rem)}}
@media print{body{max-width:none;padding:0;font-size:11pt}nav{display:none}figure,.card,tr{
  break-inside:avoid}h2,h3{break-after:avoid}.scroll,figure .plot{overflow:visible}}
"""
