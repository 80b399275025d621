using System.Globalization;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary>What the prober knows of a destination, for a person.</summary>
internal static class ProbedFacts
{
    internal static IEnumerable<(string Name, Cell Value)> Of(ProbeState known, bool observed, NextHop key, DateTimeOffset now)
    {
        yield return ("verdict", VerdictText.Mail(known, observed, key, now));
        if (known.LastProbe is null)
            yield break;
        if (known.Outcome != DnsOutcome.Found)
            yield return ("mx lookup", new Cell($"{known.Outcome.Name()}{(known.Detail is null ? "" : $": {known.Detail}")}", Tone.Caution));
        yield return ("next probe", UtcTime.Text(known.NextDue!.Value));
        if (known.Expires is { } end)
        {
            var days = VerdictText.DaysLeft(end, now);
            yield return ("certificate", days with { Text = $"the first to end does so at {UtcTime.Text(end)}, in {days.Text} days" });
        }
    }

    /// <summary>The table of addresses with what each presented last.</summary>
    internal static Table Addresses(ProbeState known, Destination destination, PostfixSettings postfix)
    {
        var table = new Table("mx_host", "address", "outcome", "key", "public_key", "until", "pinned");
        foreach (var address in known.Addresses)
        {
            var history = address.History;
            var runs = history.Algorithms.Select(algorithm => history.Latest(algorithm)!).Where(run => run.Certificate is not null).ToList();
            if (runs.Count == 0)
                table.Add(address.MxHost, history.Target.Id, Outcome(address, known), "-", "-", "-", "-");
            foreach (var run in runs)
            {
                var certificate = run.Certificate!;
                var pin = destination.Pins.FirstOrDefault(pin => pin.IsServed && certificate.Matches(pin.Fingerprint))
                    ?? destination.Pins.FirstOrDefault(pin => certificate.Matches(pin.Fingerprint));
                table.Add(
                    address.MxHost, history.Target.Id, Outcome(address, known),
                    string.Create(CultureInfo.InvariantCulture, $"{certificate.Algorithm.Name()} {certificate.KeyBits}"),
                    certificate.Digest(PinSubject.PublicKey, postfix.FingerprintDigest).Hex, UtcTime.Text(certificate.NotAfter),
                    pin is null ? new Cell("no", Tone.Caution) : new Cell(pin.State.Name(), pin.IsServed ? Tone.Good : Tone.Caution));
            }
        }

        return table;
    }

    private static Cell Outcome(MxAddress address, ProbeState known)
    {
        var text = address.History.LastAttempt is null ? VerdictText.NeverProbed : address.History.LastOutcome.Name();
        return address.Listed
            ? new Cell(text, address.History.IsSecured ? Tone.Good : Tone.Caution)
            : new Cell($"{text} ({Gone(address, known)})", Tone.Faint);
    }

    /// <summary>Why the address is not probed any more: DNS does not name it, or the level sends another name there (SNI).</summary>
    private static string Gone(MxAddress address, ProbeState known)
    {
        var target = address.History.Target;
        if (known.Resolution?.Hosts.Any(host => host.Name == address.MxHost && host.Addresses.Contains(target.Address)) != true)
            return "not in DNS any more";
        return target.ServerName is { } name ? $"as shown with SNI {name}, which is not sent any more" : "as shown without SNI, which is sent now";
    }
}
