"""The book as one PDF, printed by Chromium: `make pdf`, after `make book`, writes _build/after-zero-loss.pdf."""

import io
import sys
from pathlib import Path

from pypdf import PdfReader, PdfWriter

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests"), str(ROOT / "book" / "_ext")]

from bookbuild import contents  # noqa: E402
from browser import HTML, chromium, load_all_pictures, open_page, served  # noqa: E402

TARGET = ROOT / "_build" / "after-zero-loss.pdf"
FOOTER = """<div style="width: 100%; padding: 0 15mm; font-size: 8px; display: flex; justify-content: space-between">
<span>After Zero Loss · {title}</span><span class="pageNumber"></span></div>"""

# Paper leads nowhere: links to other pages lose their address, those within the page and to other hosts keep it.
UNLINK = """home => {
  for (const a of document.querySelectorAll("a[href]")) {
    const here = location.href.split("#")[0];
    if (a.href.startsWith(home) && a.href.split("#")[0] !== here) a.removeAttribute("href");
  }
  return document.querySelector("h1").innerText.replace("#", "").trim();
}"""


def main() -> None:
    if not HTML.is_dir():
        raise SystemExit("error: there is no built book: run `make book` first")
    book = PdfWriter()
    with chromium() as browser, served(HTML) as home:
        for name in contents.pages(ROOT):
            page, _ = open_page(browser, f"{home}/{name}.html")
            load_all_pictures(page)
            page.wait_for_load_state("networkidle")
            title = page.evaluate(UNLINK, home)
            printed = page.pdf(
                format="A4",
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOTER.format(title=title),
                margin={"top": "16mm", "bottom": "18mm", "left": "15mm", "right": "15mm"},
            )
            first = len(book.pages)
            for sheet in PdfReader(io.BytesIO(printed)).pages:
                book.add_page(sheet)
            book.add_outline_item(title=title, page_number=first)
            print(f"{title}: {len(book.pages) - first} pages")
            page.context.close()
    book.add_metadata({"/Title": "After Zero Loss", "/Author": "The After Zero Loss authors"})
    book.compress_identical_objects()
    book.write(TARGET)
    print(f"{TARGET}: {len(book.pages)} pages, {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
