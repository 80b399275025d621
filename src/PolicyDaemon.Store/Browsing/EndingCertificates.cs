using System.Collections.Immutable;
using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Destinations;

namespace PolicyDaemon.Store.Browsing;

/// <summary>A certificate in use that ends before long.</summary>
/// <param name="Ends">When it ends.</param>
/// <param name="MxHost">An MX host that shows it.</param>
/// <param name="Key">A destination behind that host, the first in the order of keys.</param>
/// <param name="Destinations">How many destinations are behind it; of many <see cref="EndingCertificates.MostDestinations"/>.</param>
/// <param name="Pinned">A destination behind it has a served pin of the certificate, or of its public key.</param>
/// <param name="CertificatePinned">A pin of the whole certificate is served, so that a renewal changes what is served even with the same key.</param>
public sealed record EndingCertificate(DateTimeOffset Ends, string MxHost, string Key, int Destinations, bool Pinned, bool CertificatePinned);

/// <summary>The certificates in use that end first; remembers when certificates end, so that each is decoded once.</summary>
/// <remarks>The end of a certificate stands in its DER alone. Rows of key_material are never altered and their numbers only grow, so that what was decoded stays true.</remarks>
public sealed class EndingCertificates
{
    /// <summary>Destinations behind a certificate that are counted.</summary>
    public const int MostDestinations = 200;

    private const int MostLookedAt = 20;
    private const int Chunk = 500;

    private readonly Dictionary<long, long> ends = [];
    private long last;

    internal ImmutableArray<EndingCertificate> Read(DbConnection connection, DateTimeOffset from, DateTimeOffset until, int most)
    {
        Learn(connection);
        var found = ImmutableArray.CreateBuilder<EndingCertificate>();
        foreach (var (material, end) in ends.Where(one => one.Value >= from.ToUnixTimeSeconds() && one.Value < until.ToUnixTimeSeconds()).OrderBy(one => one.Value).ThenBy(one => one.Key))
        {
            if (Find(connection, material, DateTimeOffset.FromUnixTimeSeconds(end)) is { } ending)
                found.Add(ending);
            if (found.Count == most)
                break;
        }

        return found.ToImmutable();
    }

    private void Learn(DbConnection connection)
    {
        while (true)
        {
            var rows = connection.Query<MaterialRow>(
                "SELECT id, der FROM key_material WHERE id > @last AND subject = 'certificate' ORDER BY id LIMIT @most", new { last, most = (long)Chunk }).ToList();
            foreach (var row in rows)
            {
                last = row.Id;
                if (Decode(row.Der) is { } end)
                    ends[row.Id] = end.ToUnixTimeSeconds();
            }

            if (rows.Count < Chunk)
                return;
        }
    }

    private static EndingCertificate? Find(DbConnection connection, long material, DateTimeOffset end)
    {
        var users = connection.Query<UserRow>(
            """
            SELECT d.id, d.key, l.mx_host FROM certificate_run r
            JOIN mx_target l ON l.probe_target_id = r.probe_target_id AND l.last_listed IS NULL
            JOIN destination d ON d.id = l.destination_id
            WHERE r.key_material_id = @material
              AND r.id = (SELECT max(n.id) FROM certificate_run n WHERE n.probe_target_id = r.probe_target_id AND n.algorithm = r.algorithm)
            LIMIT @most
            """,
            new { material, most = (long)MostDestinations }).ToList();
        if (users.Count == 0)
            return null;
        var first = users.MinBy(user => user.Key, StringComparer.Ordinal)!;
        var der = connection.QueryFirstOrDefault<string>("SELECT der FROM key_material WHERE id = @material", new { material });
        var certificate = der is null ? null : Certificate(der);
        var subjects = users.DistinctBy(user => user.Id).Take(MostLookedAt).SelectMany(user => Pins(connection, user.Id))
            .Select(hex => Fingerprint.TryParse(hex, out var pin, out _) && certificate is not null && certificate.Matches(pin, out var subject) ? subject : (PinSubject?)null)
            .OfType<PinSubject>().ToHashSet();
        return new EndingCertificate(
            end, first.MxHost, first.Key, users.DistinctBy(user => user.Id).Count(), subjects.Count > 0, subjects.Contains(PinSubject.Certificate));
    }

    private static List<string> Pins(DbConnection connection, long id) =>
        connection.Query<string>($"SELECT fingerprint FROM pin p WHERE p.destination_id = @id AND ({PinStates.Served})", new { id }).ToList();

    private static DateTimeOffset? Decode(string der) => Certificate(der)?.NotAfter;

    private static ServerCertificate? Certificate(string der)
    {
        try
        {
            return ServerCertificate.TryParse(Convert.FromBase64String(der));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    internal sealed record MaterialRow(long Id, string Der);

    internal sealed record UserRow(long Id, string Key, string MxHost);
}
