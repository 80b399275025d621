using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary>The report for a person: the destination, each MX host with its addresses, what each level would do, and what to type.</summary>
internal static class CheckText
{
    private const int Labels = 14;
    private const int Deeper = 2;

    internal static void Write(Report report, CheckResult result, WaitingMail? mail)
    {
        var name = result.Key.ToDisplayString();
        report.Line(name == result.Key.Text ? name : $"{name} ({result.Key})", Tone.Heading);
        report.Block(
            [
                ("dns", CheckTerms.Dns(result)),
                ("resolver", CheckTerms.Resolver(result)),
                ("mta-sts", CheckTerms.Sts(result)),
                ("entry", CheckTerms.Entry(result)),
                .. Discovery(result),
            ],
            Labels);
        foreach (var host in result.Resolution.Hosts)
        {
            report.Line();
            report.Line(result.Resolution is { HostIsGiven: true } or { IsImplicit: true } ? host.Name
                : FormattableString.Invariant($"{host.Name}, preference {host.Preference}"), Tone.Heading);
            report.Block([("addresses", CheckTerms.Host(host)), ("tlsa", CheckTerms.Tlsa(host))], Labels);
            foreach (var address in result.Probed.Addresses.Where(address => address.Host.Name == host.Name))
                Write(report, result, address);
        }

        report.Line();
        Conclude(report, result, mail);
    }

    private static IEnumerable<(string, Cell)> Discovery(CheckResult result) => result.Discovered is null ? [] : [("discovery", CheckTerms.Discovery(result))];

    /// <summary>One address with everything that it showed.</summary>
    internal static void Write(Report report, CheckResult result, ProbedAddress address)
    {
        var target = address.Observation.Target;
        report.Line($"  {target.Address} port {target.Port}{(target.ServerName is { } sni ? $", SNI {sni}" : "")}", Tone.Heading);
        report.Block([("outcome", CheckTerms.Outcome(address.Observation)), .. Stages(address.Observation)], Labels - Deeper, 2 + Deeper);
        foreach (var seen in address.Observation.Certificates)
            report.Block(Facts(result, address, seen), Labels - Deeper, 2 + Deeper);
        if (address.Observation is { Outcome: ProbeOutcome.Secured, Absent: [var absent, ..] })
            report.Block([("", new Cell($"it has no certificate with an {Phrases.Algorithm(absent)} key: a second connection asked for one", Tone.Faint))], Labels - Deeper, 2 + Deeper);
        else if (address.Observation is { AskedBothAlgorithms: true, Certificates: [{ TlsVersion: "TLSv1.3" }], SpeaksTls12: false })
            report.Block([("", new Cell("it refuses TLS 1.2, in which alone a second connection can ask for a certificate of the other key algorithm", Tone.Faint))], Labels - Deeper, 2 + Deeper);
        else if (address.Observation is { AskedBothAlgorithms: true, Certificates.Length: 1 })
            report.Block([("", new Cell("a second connection asked for a certificate of the other key algorithm, and was not answered", Tone.Faint))], Labels - Deeper, 2 + Deeper);
        if (address.Named is { Certificates: [var named, ..] } && !named.Certificate.Equals(address.Observation.Certificates[0].Certificate))
        {
            report.Block([("with SNI", new Cell($"when {address.Host.Name} is sent as SNI, another certificate is shown:", Tone.Caution))], Labels - Deeper, 2 + Deeper);
            report.Block(Facts(result, address, named), Labels - Deeper, 2 + Deeper);
        }
    }

    private static IEnumerable<(string, Cell)> Stages(Observation seen) =>
        seen.Timings.IsEmpty ? [] : [("stages", CheckTerms.Stages(seen))];

    private static List<(string, Cell)> Facts(CheckResult result, ProbedAddress address, PresentedCertificate seen)
    {
        var certificate = seen.Certificate;
        List<(string, Cell)> facts =
        [
            ("certificate", Phrases.Cut(certificate.Subject)),
            ("names", CheckTerms.Names(certificate)),
            ("issuer", Phrases.Cut(certificate.Issuer)),
            ("valid", CheckTerms.Validity(certificate, result.At)),
            ("webpki", CheckTerms.WebPki(seen, address.Host.Name)),
            ("signed with", CheckTerms.Signature(certificate)),
            ("key", Phrases.PublicKey(certificate)),
            ("key pin", certificate.Digest(Core.Pins.PinSubject.PublicKey, result.Digest).Hex),
            ("cert pin", certificate.Digest(Core.Pins.PinSubject.Certificate, result.Digest).Hex),
        ];
        if (result.Entry is { Policy.Level: TlsLevel.Fingerprint })
            facts.Add(("pin", CheckTerms.Pin(result, certificate)));
        foreach (var (number, sent) in seen.SentBehind.Index())
            facts.Add((number == 0 ? "sent behind" : "", CheckTerms.Intermediate(sent, result.Digest)));
        if (!address.Host.Tlsa.IsEmpty || address.Host.TlsaFailed)
            facts.Add(("dane", CheckTerms.Dane(address, certificate.Algorithm)));
        return facts;
    }

    private static void Conclude(Report report, CheckResult result, WaitingMail? mail)
    {
        if (result.Resolution.Worked && !result.Probed.Addresses.IsEmpty)
        {
            report.Line("If enforced now", Tone.Heading);
            var levels = result.Levels
                // Names written down are for where the level's own do not do.
                .DistinctBy(forecast => (forecast.Level, CheckTerms.Forecast(forecast).Text))
                .ToList();
            report.Block([.. levels.Select(forecast => (forecast.Level.Name(), Level(forecast)))], Labels);
            report.Line();
        }

        report.Line("Mail", Tone.Heading);
        if (result.DaemonAbsence is { } absence)
            report.Block([("policyd", new Cell(absence, Tone.Bad))], Labels);
        report.Block([("now", CheckTerms.Delivery(DeliveryForecast.Of(result)))], Labels);
        if (mail?.Of(result.Key) is { } waiting)
            report.Block([("waiting", new Cell(mail.Sentence(waiting), Tone.Caution))], Labels);
        if (result.Strongest is { } strongest)
            report.Block([("strongest", CheckTerms.Level(strongest))], Labels);
        if (LevelCommand.For(result) is { } command)
            report.Line("  " + "set it".PadRight(Labels) + "  " + command);
        foreach (var remedy in CheckAdvice.Of(result))
            report.Block([("note", remedy)], Labels);
        report.Block([("assumes", new Cell(string.Join("; ", Assumptions.Of(result.Settings)), Tone.Faint))], Labels);
    }

    private static Cell Level(LevelForecast forecast)
    {
        var cell = CheckTerms.Forecast(forecast);
        var extra = CheckTerms.Level(forecast)[forecast.Level.Name().Length..].Trim();
        return extra.Length == 0 ? cell : cell with { Text = $"{cell.Text} (with {extra})" };
    }
}
