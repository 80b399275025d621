using PolicyDaemon.Cli.Checking;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Probing;
using PolicyDaemon.Probe.Looking;

namespace PolicyDaemon.Cli.Sightings;

/// <summary>Shows what was seen, before anybody decides: on standard error where standard output carries the result for a program.</summary>
internal static class SightingReport
{
    internal static void Show(Report report, string key, VisitedDestination visit, IReadOnlyList<SightedKey> keys, DigestAlgorithm digest)
    {
        if (visit.Addresses.IsEmpty)
            return;
        report.Note($"Seen at {key}:");
        foreach (var seen in keys)
        {
            report.Note($"  {seen.Pin}  {digest.Name()} of the public key, {CheckWords.Key(seen.Certificate)}");
            foreach (var certificate in seen.Certificates)
            {
                report.Note(
                    $"    certificate  {CheckWords.Cut(certificate.Subject)}, issued by {CheckWords.Cut(certificate.Issuer)}, until {Times.Text(certificate.NotAfter)}");
                report.Note($"                 {certificate.Digest(PinSubject.Certificate, digest)}  {digest.Name()} of the certificate");
            }

            report.Note($"    at           {Where(seen)}");
            report.Note($"    evidence     {seen.Why}");
        }

        foreach (var address in visit.Addresses.Where(address => address.Seen.Certificates.IsEmpty))
        {
            var cell = CheckWords.Outcome(address.Seen);
            report.Note($"  {address.Host.Name} [{address.Seen.Target.Address}]: {cell.Text}; "
                + (address.Seen.Outcome.IsConclusive() ? "mail through it would be refused" : "what it would show is not known"));
        }
    }

    internal static string Where(SightedKey seen) =>
        string.Join(", ", seen.At.Select(address => $"{address.Host.Name} [{address.Seen.Target.Address}]"));
}
