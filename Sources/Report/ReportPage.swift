import Fields
import Foundation
import PointStore
import Runs

// The page, most important results first. It has no scripts, and its content security policy forbids fetching anything.
extension Report {
    func page(command: String, date: Date) -> String {
        let title = "\(area) of \(ice.adjective) ice at iteration \(NumberText.count(run.checkpoint.iteration))"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="generator" content="\(Report.generator)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>\(escaped(title))</title>
            <style>
            \(Report.style)
            </style>
            </head>
            <body>
            <header>
            <h1>\(escaped(title))</h1>
            \(table(summary))
            <nav><a href="#maps">Maps</a> · <a href="#misfits">Misfits</a> · <a href="#training">Training</a> · <a href="#plan">Configuration</a> · <a href="#provenance">Provenance</a></nav>
            </header>
            <main>
            <div id="maps">
            \(legend)
            \(sections.map(section).joined(separator: "\n"))
            </div>
            <section id="misfits">
            <h2>Misfits</h2>
            <div class="figures">
            \(samples.map { HistogramChart(sample: $0).figure }.joined(separator: "\n"))
            </div>
            </section>
            <section id="training">
            <h2>Training</h2>
            <div class="figures">
            \(training)
            </div>
            </section>
            <section id="plan">
            <h2>Configuration</h2>
            <p>As a file for <code>pinn-train --config</code>:</p>
            <pre>\(escaped(run.checkpoint.configuration.toml))</pre>
            </section>
            <section id="provenance">
            <h2>Provenance</h2>
            \(table(provenance(command: command, date: date)))
            </section>
            </main>
            </body>
            </html>

            """
    }

    private static let style = """
        html { -webkit-text-size-adjust: 100%; }
        body { margin: 0 auto; padding: 1rem; max-width: 74rem; font: 1rem/1.45 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff; overflow-wrap: anywhere; }
        h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0 1rem; }
        h2 { font-size: 1.2rem; margin: 2.2rem 0 0.8rem; padding-top: 0.6rem; border-top: 1px solid #c8c8c8; }
        nav { margin: 1rem 0; }
        a { color: #0b4f8a; }
        p { margin: 0.4rem 0; }
        .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1.6rem 1.4rem; align-items: start; }
        figure { margin: 0; min-width: 0; max-width: 35rem; }
        figcaption { font-weight: 600; margin-bottom: 0.3rem; }
        figure p, .legend { font-size: 0.85rem; color: #3d3d3d; }
        .map { position: relative; }
        .map img { position: absolute; }
        .map img.cells { image-rendering: pixelated; }
        svg { position: relative; display: block; width: 100%; height: auto; font-size: 11px; }
        svg text { fill: #1a1a1a; }
        .legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; }
        .legend span { display: flex; align-items: center; gap: 0.4rem; }
        .legend svg { width: 1rem; height: 1rem; }
        table { border-collapse: collapse; width: 100%; max-width: 60rem; }
        th, td { text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0; }
        th { font-weight: 600; width: 9.5rem; overflow-wrap: normal; }
        pre { white-space: pre-wrap; background: #f5f5f5; border: 1px solid #dedede; padding: 0.8rem; font-size: 0.85rem; columns: 20rem; }
        @media (min-width: 56rem) { .figures svg { font-size: 9px; } }
        @media (max-width: 30rem) { th { width: 6.5rem; padding-right: 0.6rem; } }
        @media print {
          @page { margin: 14mm; }
          html { font-size: 9pt; }
          body { max-width: none; padding: 0; }
          nav { display: none; }
          .figures { grid-template-columns: 1fr 1fr; }
          .figures svg { font-size: 11px; }
          h2 { break-after: avoid; margin-top: 1.4rem; }
          figure, tr { break-inside: avoid; }
        }
        """

    // MARK: Parts

    private var area: String {
        let extent = maps[0].grid.extent
        let sides = [extent.xMax - extent.xMin, extent.yMax - extent.yMin].map { NumberText.plain($0 / 1000) }
        return "\(sides[0]) by \(sides[1]) km"
    }

    private var summary: [(String, String)] {
        let checkpoint = run.checkpoint
        let members = run.members.count
        let cells = run.store.description.grids.map {
            "\($0.name) on cells of \(NumberText.plain(abs($0.grid.spacingX))) m"
        }
        var rows = [("Data", "\(run.store.path): \(cells.joined(separator: ", "))")]
        for sample in samples {
            let size = "\(NumberText.typeset(sample.rootMeanSquare)) \(NumberText.unit(sample.column.unit))"
            rows += [("Misfit of \(sample.column.rawValue)", "\(size), root mean square (\(sample.name))")]
        }
        if let map = sections.first(where: { $0.title == "Inferred" })?.maps.first,
            let shares = map.values.filter(\.isFinite).quantiles([0.05, 0.5, 0.95])?.map({ NumberText.typeset($0) })
        {
            let median = "median \(shares[1]) \(NumberText.unit(map.unit))"
            rows += [(map.name, "\(median), 90 % of the area between \(shares[0]) and \(shares[2]) (\(map.title))")]
        }
        let networks = "\(members > 1 ? "mean of \(members) networks " : "")\(checkpoint.configuration.network.shapes)"
        let phases = checkpoint.configuration.phases.description.replacing(",", with: ", ")
        let work =
            "\(NumberText.count(checkpoint.iteration)) iterations in \(NumberText.duration(checkpoint.trainedSeconds))"
        return rows + [("Network", "\(networks), \(phases); \(work)")]
    }

    private var legend: String {
        let entries = FieldMap.legend(ice: ice).map { name, color in
            "<span><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><rect x=\"0.5\" y=\"0.5\" width=\"15\" height=\"15\" fill=\"\(color.css)\" stroke=\"#767676\"/></svg>\(escaped(name))</span>"
        }
        return """
            <div class="legend">\(entries.joined())</div>
            <p class="legend">Misfits are predicted minus observed. Colour bars end at the 1st and 99th percentile; an arrow marks values beyond. Observed and predicted fields share a colour scale.</p>
            """
    }

    private func section(_ section: MapSection) -> String {
        let drivingStress = run.store.description.scales.momentum(run.checkpoint.configuration.constants)
        let note =
            section.maps.contains { $0.name.hasPrefix("residual_") && $0.unit == "Pa" }
            ? "<p>Residuals of the momentum balance, ideally zero. The driving stress ρ g (1 − ρ/ρ<sub>w</sub>) h₀² / L₀ of this shelf is \(NumberText.typeset(drivingStress)) Pa.</p>"
            : ""
        return """
            <section>
            <h2>\(escaped(section.title))</h2>
            \(note)
            <div class="figures">
            \(section.maps.map { $0.figure(ice: ice) }.joined(separator: "\n"))
            </div>
            </section>
            """
    }

    private var training: String {
        let histories = run.histories
        guard let history = histories.first, history.count > 0 else { return "<p>No iteration was made.</p>" }
        if histories.count > 1 {
            let members = run.members.count
            return HistoryChart(
                title: "Loss of \(histories.count)\(members > histories.count ? " of \(members)" : "") members",
                description: "Loss of every member over the iterations, with a logarithmic axis.",
                curves: histories.enumerated().map { .init(name: "member \($0 + 1)", values: $1.totals) },
                marks: phases, isBundle: true
            ).figure
        }
        func column(_ values: [Double], _ term: Int) -> [Double] {
            stride(from: term, to: values.count, by: history.termNames.count).map { values[$0] }
        }
        let loss = HistoryChart(
            title: "Loss", description: "Loss and its terms over the iterations, with a logarithmic axis.",
            curves: [.init(name: "total", values: history.totals)]
                + history.termNames.enumerated().map { .init(name: $1, values: column(history.terms, $0)) },
            marks: phases, note: "The total is the weighted sum of the terms (mean squared residuals).")
        let misfits = HistoryChart(
            title: "Misfit of each term",
            description: "Root mean squares of the terms over the iterations, with a logarithmic axis.",
            curves: history.termNames.enumerated().map { term, name in
                let unit = history.units.count > term ? NumberText.unit(history.units[term]) : ""
                return .init(name: unit.isEmpty ? name : "\(name) [\(unit)]", values: column(history.misfits, term))
            }, marks: phases,
            note:
                "Root mean squares, in the unit given in the legend; equations without a unit are relative to the driving stress."
        )
        return loss.figure + "\n" + misfits.figure
    }

    /// Iterations at which another optimizer takes over.
    private var phases: [(iteration: Int, name: String)] {
        let phases = run.checkpoint.configuration.phases.phases
        return phases.count > 1 ? phases.map { ($0.start, $0.name) } : []
    }

    private func provenance(command: String, date: Date) -> [(String, String)] {
        let checkpoint = run.checkpoint
        let store = run.store.description
        let counts = PointSet.allCases.compactMap { set in
            store.counts[set].map { "\(NumberText.count($0)) \(set.rawValue)" }
        }
        var rows = [
            ("Report", "\(date.formatted(.iso8601)): \(command)"),
            ("Software", Version.text),
            ("Run", "\(runPath), iteration \(checkpoint.iteration), seed \(checkpoint.configuration.seed)"),
            ("Trained", "\(NumberText.duration(checkpoint.trainedSeconds)) on \(checkpoint.backend)"),
            ("Store", "\(run.store.path), fingerprint \(checkpoint.storeFingerprint)"),
            ("Points", counts.joined(separator: ", ")),
            ("Year", "\(Int(Constants.secondsPerYear)) s"),
        ]
        if let loss = checkpoint.history.totals.last { rows += [("Last loss", NumberText.typeset(loss))] }
        rows += store.provenance.map { ($0.name.replacing("_", with: " ").capitalizedFirst, $0.text) }
        let method =
            "MacAyeal 1989, doi:10.1029/JB094iB04p04071; Wang et al. 2025, Science 387, 1219–1224. Colours: viridis (Smith & van der Walt 2015), RdBu (ColorBrewer 2.0, C. Brewer), made uniform in OKLab."
        return rows + [("Method", method)]
    }

    private func table(_ rows: [(String, String)]) -> String {
        let lines = rows.map { "<tr><th scope=\"row\">\(escaped($0.0))</th><td>\(escaped($0.1))</td></tr>" }
        return "<table class=\"facts\">\n\(lines.joined(separator: "\n"))\n</table>"
    }
}
