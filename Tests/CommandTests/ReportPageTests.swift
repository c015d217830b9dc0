import Foundation
import TestSupport
import Testing

/// The report in a real browser, as a colleague opens it.
@Suite(.enabled(if: Tool.installed("chromium") != nil, "chromium is not installed")) struct ReportPageTests {
    private func reported() throws -> Workspace {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Workspace.short + ["--iterations", "30"]).status == 0)
        let report = try here.run(try #require(Tool.built("pinn-report")), [])
        try #require(report.status == 0, "\(report.messages)")
        #expect(report.output.contains("report.html") && here.partialFiles.isEmpty)
        return here
    }

    /// What a script of ours finds in the page, shown in a frame of that width; the page's own policy would forbid it one.
    private func seen(_ here: Workspace, width: Int) throws -> Tool.Result {
        let probe = """
            <!DOCTYPE html><html><body><iframe id="page" src="report.html" style="border:0;width:\(width)px;height:800px"></iframe>
            <script>
            addEventListener("load", () => {
              const page = document.getElementById("page").contentDocument, root = page.documentElement;
              const images = [...page.images], shown = images.filter(i => i.complete && i.naturalWidth > 0 && i.alt);
              const boxes = images.map(i => [i.getBoundingClientRect(), i.parentElement.getBoundingClientRect()]);
              const inside = boxes.filter(([i, p]) => i.width > 100 && i.height > 20 && i.left >= p.left && i.right <= p.right && i.bottom <= p.bottom);
              const small = [...page.querySelectorAll("figure text")].filter(t => t.getBoundingClientRect().height < 9);
              document.body.textContent = `wider by ${root.scrollWidth - root.clientWidth}; images ${shown.length} of ${images.length}, `
                + `${inside.length} inside; small texts ${small.length}; charts ${page.querySelectorAll("svg[role=img][aria-label]").length}`;
            });
            </script></body></html>
            """
        try Data(probe.utf8).write(to: URL(fileURLWithPath: here.folder.file("probe.html")))
        return try browse(here, ["--allow-file-access-from-files", "--dump-dom"], "probe.html")
    }

    private func browse(_ here: Workspace, _ options: [String], _ page: String) throws -> Tool.Result {
        let chromium = try #require(Tool.installed("chromium"))
        var result: Tool.Result
        var tries = 0
        // Beside two cores' worth of other tests it gives up on its own processes now and then, and says nothing at all.
        repeat {
            tries += 1
            result = try chromium.run(
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
                    "--user-data-dir=\(here.folder.file("browser-\(tries)"))", "--window-size=1280,900",
                ] + options + ["file://\(here.folder.file(page))"], in: here.folder.path)
        } while tries < 3 && (result.status != 0 || (options.contains("--dump-dom") && result.output.isEmpty))
        return result
    }

    @Test func isWholeOnAPhoneAndOnADesk() throws {
        let here = try reported()
        for width in [390, 1280] {
            let result = try seen(here, width: width)
            #expect(
                result.output.contains("wider by 0; images 11 of 11, 11 inside; small texts 0; charts 5"),
                "\(result.output)")
            // What the console says, errors of the page's policy among it.
            #expect(!result.messages.contains("CONSOLE"), "\(result.messages)")
        }
    }

    @Test func printsOnAFewPages() throws {
        let here = try reported()
        let result = try browse(here, ["--print-to-pdf=\(here.folder.file("report.pdf"))"], "report.html")
        #expect(!result.messages.contains("CONSOLE"), "\(result.messages)")
        let text = String(decoding: try here.bytes("report.pdf"), as: Unicode.ASCII.self)
        let pages = text.matches(of: #/\/Type \/Page\b/#).count
        #expect((3...6).contains(pages), "\(pages) pages")
    }

    @Test func isReplacedByAnotherReportOnly() throws {
        let here = try reported()
        let tool = try #require(Tool.built("pinn-report"))
        #expect(try here.run(tool, ["report.html", "--png", "maps"]).status == 0)
        #expect(here.exists("maps/mu.png"))
        let whole = try here.bytes("pinn-store.nc")
        let refused = try here.run(tool, ["pinn-store.nc"])
        #expect(refused.status == 64 && refused.messages.contains("pinn-store.nc: exists and is not a report"))
        #expect(try here.bytes("pinn-store.nc") == whole)
        #expect(try here.run(tool, ["--png", "pinn-store.nc"]).status == 74)
    }
}
