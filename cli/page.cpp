#include "cli/page.h"

#include "cli/output_file.h"

namespace rec::cli {

namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#1c1e21;--soft:#5d636b;--rule:#e3e4e1;--c1:#2563b8;--c2:#c8641b;--best:#15803d}
@media(prefers-color-scheme:dark){:root{--page:#15171a;--card:#1e2125;--ink:#e8eaed;--soft:#a0a7b0;--rule:#33383e;--c1:#74a9f0;--c2:#f0a060;--best:#5fd08a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 48px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:17px;margin:36px 0 12px}
h3{font-size:14px;margin:0 0 6px;font-weight:600}
p{margin:0 0 8px}.soft,figcaption{color:var(--soft)}figcaption{font-size:13px;margin-top:6px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(122px,1fr));gap:12px;margin-top:20px}
.tile,figure,.box{background:var(--card);border:1px solid var(--rule);border-radius:8px}
.tile{padding:12px 14px}.tile b{display:block;font-size:22px;font-weight:600;line-height:1.25}.tile span{color:var(--soft);font-size:13px}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:12px;align-items:start}
figure{margin:0;padding:14px 16px}svg{display:block;width:100%;height:auto}
.box{padding:6px 16px 8px;overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:5px 16px 5px 0;border-bottom:1px solid var(--rule);vertical-align:top;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}th{font-weight:600;color:var(--soft);font-size:13px}
.number{text-align:right;padding-right:0;font-variant-numeric:tabular-nums;white-space:nowrap}td+.number,th+.number{padding-left:12px}
.grid line,.axis{stroke:var(--rule)}line.grid{stroke:var(--rule)}.axis{stroke:var(--soft)}
.tick,.note{font-size:12px;fill:var(--soft)}.note{fill:var(--best)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}
.dot,.bar{stroke:none}.dot.c1,.bar.c1{fill:var(--c1)}.dot.c2,.bar.c2{fill:var(--c2)}.dot{opacity:.8}
.touch{fill:transparent;stroke:none}.mark{stroke:var(--best);stroke-dasharray:3 3}.best{fill:var(--best);stroke:var(--card);stroke-width:2}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--soft);margin-bottom:4px}
.key i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}.key .k1{background:var(--c1)}.key .k2{background:var(--c2)}
@media print{body{background:#fff}.tile,figure,.box{break-inside:avoid}}
)";

}  // namespace

std::string tile(const std::string& figure, const std::string& what) {
  return "<div class=tile><b>" + escape(figure) + "</b><span>" + escape(what) + "</span></div>";
}

std::string figure(const std::string& title, const std::string& key, const std::string& svg,
                   const std::string& caption) {
  if (svg.empty()) return {};
  return "<figure><h3>" + escape(title) + "</h3>" + key + svg +
         (caption.empty() ? "" : "<figcaption>" + escape(caption) + "</figcaption>") + "</figure>";
}

std::string table_html(const std::vector<std::vector<std::string>>& rows, size_t first_number) {
  std::string html = "<div class=box><table>";
  for (size_t row = 0; row < rows.size(); ++row) {
    const std::string tag = row == 0 ? "th" : "td";
    html += "<tr>";
    for (size_t column = 0; column < rows[row].size(); ++column)
      html +=
          "<" + tag + (column >= first_number ? " class=number>" : ">") + escape(rows[row][column]) + "</" + tag + ">";
    html += "</tr>";
  }
  return html + "</table></div>";
}

void write_page(const std::string& argument, const std::string& path, const std::string& title,
                const std::string& body) {
  write_file(argument, path,
             "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
             "content=\"width=device-width,initial-scale=1\"><title>" +
                 escape(title) + "</title><style>" + kStyle + "</style><main>" + body + "</main></html>\n");
}

}  // namespace rec::cli
