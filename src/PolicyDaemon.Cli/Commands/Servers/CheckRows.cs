using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary>The report for grep and awk: one fact a line, with whom it concerns.</summary>
internal static class CheckRows
{
    /// <summary>The columns of <c>--format tsv</c>.</summary>
    internal static readonly string[] Columns = ["subject (the key, an MX host, or HOST ADDRESS:PORT)", "name", "value"];

    internal static Table Of(CheckResult result, WaitingMail? mail)
    {
        var table = new Table("subject", "name", "value");
        var key = result.Key.Text;
        var forecast = DeliveryForecast.Of(result);
        table.Add(key, "verdict", forecast.Verdict.Name());
        table.Add(key, "mail", forecast.Text);
        if (mail?.Of(result.Key) is { } waiting)
            table.Add(key, "waiting", mail.Sentence(waiting));
        if (result.DaemonAbsence is { } absence)
            table.Add(key, "policyd", absence);
        table.Add(key, "results", string.Join(' ', forecast.Results.Select(mail => mail.Name())));
        table.Add(key, "strongest", result.Strongest is { } strongest ? CheckTerms.Level(strongest) : null);
        table.Add(key, "command", LevelCommand.For(result));
        table.Add(key, "dns", CheckTerms.Dns(result));
        table.Add(key, "dnssec", result.Resolution.MxDnssec.Name());
        table.Add(key, "resolver", CheckTerms.Resolver(result));
        table.Add(key, "mta-sts", CheckTerms.Sts(result));
        table.Add(key, "entry", CheckTerms.Entry(result));
        if (result.Discovered is not null)
            table.Add(key, "discovery", CheckTerms.Discovery(result));
        table.Add(key, "without-policy", CheckTerms.WithoutPolicy(result));
        foreach (var level in result.Levels)
            table.Add(key, "level " + CheckTerms.Level(level), $"{level.Verdict.Name()}: {CheckTerms.Forecast(level).Text}");
        foreach (var note in CheckAdvice.Of(result))
            table.Add(key, "note", note);
        foreach (var assumption in Assumptions.Of(result.Settings))
            table.Add(key, "assumes", assumption);
        foreach (var host in result.Resolution.Hosts)
        {
            table.Add(host.Name, "preference", host.Preference.ToString(CultureInfo.InvariantCulture));
            table.Add(host.Name, "addresses", CheckTerms.Host(host));
            foreach (var record in host.Tlsa)
                table.Add(host.Name, "tlsa", $"{record} {host.TlsaDnssec.Name()}");
            foreach (var address in result.Probed.Addresses.Where(address => address.Host.Name == host.Name))
                Add(table, result, address);
        }

        return table;
    }

    private static void Add(Table table, CheckResult result, ProbedAddress address)
    {
        var subject = $"{address.Host.Name} {address.Observation.Target}";
        table.Add(subject, "outcome", address.Observation.Outcome.Name());
        table.Add(subject, "stage", address.Observation.Stage.Name());
        table.Add(subject, "result-type", address.Observation.Outcome.ResultType());
        table.Add(subject, "detail", address.Observation.Detail);
        foreach (var timing in address.Observation.Timings)
            table.Add(subject, $"ms {timing.Stage.Name()}", timing.Elapsed.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture));
        foreach (var seen in address.Observation.Certificates)
        {
            var certificate = seen.Certificate;
            var algorithm = certificate.Algorithm.Name();
            table.Add(subject, algorithm + " key-pin", certificate.Digest(PinSubject.PublicKey, result.Digest).Hex);
            table.Add(subject, algorithm + " cert-pin", certificate.Digest(PinSubject.Certificate, result.Digest).Hex);
            table.Add(subject, algorithm + " key", Phrases.PublicKey(certificate));
            table.Add(subject, algorithm + " signed-with", CheckTerms.Signature(certificate));
            foreach (var sent in seen.SentBehind)
                table.Add(subject, algorithm + " sent-behind", CheckTerms.Intermediate(sent, result.Digest));
            table.Add(subject, algorithm + " subject", Phrases.Cut(certificate.Subject));
            table.Add(subject, algorithm + " issuer", Phrases.Cut(certificate.Issuer));
            table.Add(subject, algorithm + " names", CheckTerms.Names(certificate));
            table.Add(subject, algorithm + " not-after", UtcTime.Text(certificate.NotAfter));
            table.Add(subject, algorithm + " tls", $"{seen.TlsVersion} {seen.Cipher}".Trim());
            table.Add(subject, algorithm + " webpki", CheckTerms.WebPki(seen, address.Host.Name));
            table.Add(subject, algorithm + " dane", address.State.DaneOf(certificate.Algorithm).Name());
            if (result.Entry is { Policy.Level: TlsLevel.Fingerprint })
                table.Add(subject, algorithm + " pin", CheckTerms.Pin(result, certificate));
        }
    }
}
