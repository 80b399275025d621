using PolicyDaemon.Administration;
using PolicyDaemon.Cli.Checking;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>Shows what was seen, before anybody decides: on standard error where standard output carries the result for a program.</summary>
internal static class FetchReport
{
    internal static void Show(Report report, string key, ProbedDestination visit, IReadOnlyList<FetchedKey> keys, DigestAlgorithm digest)
    {
        if (visit.Addresses.IsEmpty)
            return;
        report.Note($"Seen at {key}:");
        foreach (var seen in keys)
        {
            report.Note($"  {seen.Pin}  {digest.Name()} of the public key, {Phrases.PublicKey(seen.Certificate)}");
            foreach (var certificate in seen.Certificates)
            {
                report.Note(
                    $"    certificate  {Phrases.Cut(certificate.Subject)}, issued by {Phrases.Cut(certificate.Issuer)}, until {Times.Text(certificate.NotAfter)}");
                report.Note($"                 {certificate.Digest(PinSubject.Certificate, digest)}  {digest.Name()} of the certificate");
            }

            report.Note($"    at           {Where(seen)}");
            report.Note($"    evidence     {seen.Why}");
        }

        foreach (var address in visit.Addresses.Where(address => address.Seen.Certificates.IsEmpty))
        {
            var cell = CheckTerms.Outcome(address.Seen);
            report.Note($"  {address.Host.Name} [{address.Seen.Target.Address}]: {cell.Text}; "
                + (address.Seen.Outcome.IsConclusive() ? "mail through it would be refused" : "what it would show is not known"));
        }
    }

    internal static string Where(FetchedKey seen) =>
        string.Join(", ", seen.At.Select(address => $"{address.Host.Name} [{address.Seen.Target.Address}]"));
}
