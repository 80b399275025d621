using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Commands.Doctor;

/// <summary>The list for a person: a line for each thing, its commands below it; then what partners need.</summary>
internal static class DoctorScreen
{
    internal static void Write(Report report, DoctorResult result, IReadOnlyList<DigestAlgorithm> digests)
    {
        var severities = result.Findings.Max(finding => finding.Severity.Name().Length);
        var labels = severities + 2 + result.Findings.Max(finding => finding.Check.Length);
        if (result.Keys.Count > 0)
            Keys(report, result.Keys, digests);
        foreach (var finding in result.Findings)
        {
            report.Block([($"{finding.Severity.Name().PadRight(severities)}  {finding.Check}", new Cell(finding.Text, ToneOf(finding.Severity)))], labels, indent: 0);
            foreach (var command in finding.Remedy)
                report.Command(command);
        }

        report.Line();
        report.Line(Summary(result.Findings), ToneOf(result.Findings.Max(finding => finding.Severity)));
    }

    private static string Summary(IReadOnlyList<DoctorFinding> findings)
    {
        int Count(DoctorSeverity severity) => findings.Count(finding => finding.Severity == severity);
        var (problems, warnings, unknown) = (Count(DoctorSeverity.Problem), Count(DoctorSeverity.Warning), Count(DoctorSeverity.Unknown));
        if (problems + warnings + unknown == 0)
            return "All is well.";
        return string.Join(", ", new[]
        {
            problems > 0 ? Phrases.Count(problems, "problem") : null,
            warnings > 0 ? Phrases.Count(warnings, "warning") : null,
            unknown > 0 ? FormattableString.Invariant($"{unknown} not known") : null,
        }.OfType<string>()) + (problems + warnings == 0 ? "."
            : findings.Any(finding => finding.Severity is DoctorSeverity.Problem or DoctorSeverity.Warning && finding.Remedy.Count == 0)
                ? ". Where a command settles it, that stands below; elsewhere the line says what to change."
                : ". Each has below it what settles it.");
    }

    private static void Keys(Report report, IReadOnlyList<OwnKey> keys, IReadOnlyList<DigestAlgorithm> digests)
    {
        report.Line("What partners need", Tone.Heading);
        foreach (var key in keys)
        {
            report.Line($"  {(key.Use == OwnKey.Next ? "next, announce it before the change" : "in use")}: {key.Source}", Tone.Heading);
            foreach (var digest in digests)
            {
                if (key.CertificateFingerprint(digest) is { } certificate)
                    Lines(report, $"{digest.Name()} certificate", PartnerText.Colons(certificate));
                Lines(report, $"{digest.Name()} public key", PartnerText.Groups(key.KeyFingerprint(digest)));
            }

            Lines(report, "TLSA record", [key.Tlsa.ToString()]);
        }

        report.Line();
    }

    private static void Lines(Report report, string name, IReadOnlyList<string> lines)
    {
        const int Labels = 18; // sha256 certificate
        report.Block([.. lines.Select((line, i) => (i == 0 ? name : "", new Cell(line)))], Labels, indent: 4);
    }

    private static Tone ToneOf(DoctorSeverity severity) => severity switch
    {
        DoctorSeverity.Ok => Tone.Good,
        DoctorSeverity.Warning or DoctorSeverity.Unknown => Tone.Caution,
        DoctorSeverity.Problem => Tone.Bad,
        _ => Tone.Plain,
    };
}
