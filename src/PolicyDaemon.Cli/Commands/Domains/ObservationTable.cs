using System.Globalization;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary>The last observations of a destination's addresses, for a person.</summary>
internal static class ObservationTable
{
    internal static Table Of(IReadOnlyList<StoredObservation> observations)
    {
        var table = new Table("probed", "mx_host", "address", "outcome", "stage", "took", "tls", "certificates", "detail");
        foreach (var seen in observations)
        {
            table.Add(
                UtcTime.Text(seen.At), seen.MxHost, seen.Target.Id,
                new Cell(seen.Outcome.Name(), seen.Outcome == ProbeOutcome.Secured ? Tone.Good : Tone.Caution), seen.Stage.Name(),
                seen.Timings.IsEmpty ? "-" : string.Create(CultureInfo.InvariantCulture, $"{seen.Timings.Sum(timing => timing.Elapsed.TotalMilliseconds)} ms"),
                seen.Certificates.IsEmpty ? "-" : seen.Certificates[0].TlsVersion,
                seen.Certificates.IsEmpty ? "-" : string.Join(", ", seen.Certificates.Select(shown => $"{shown.Algorithm} {shown.CertificateFingerprint} {shown.Chain}")),
                Detail(seen));
        }

        return table;
    }

    /// <summary>The dialogues that are kept, each below a line that says whose it is.</summary>
    internal static void WriteTranscripts(Report report, IReadOnlyList<StoredObservation> observations)
    {
        foreach (var seen in observations.Where(seen => !seen.Transcript.IsEmpty))
        {
            report.Line();
            report.Line($"{seen.MxHost} [{seen.Target.Id}] {UtcTime.Text(seen.At)}: {seen.Outcome.Name()}", Tone.Heading);
            if (!seen.Timings.IsEmpty)
                report.Line("  " + string.Join(", ", seen.Timings.Select(timing => string.Create(CultureInfo.InvariantCulture, $"{timing.Stage.Name()} {timing.Elapsed.TotalMilliseconds} ms"))), Tone.Faint);
            foreach (var line in seen.Transcript)
                report.Verbatim("  " + line);
        }
    }

    private static string Detail(StoredObservation seen) =>
        string.Join(' ', new[] { seen.ReplyCode?.ToString(CultureInfo.InvariantCulture), seen.Detail }.Where(part => !string.IsNullOrEmpty(part)));
}
