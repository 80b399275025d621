using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Store.Probing;

/// <summary>Keeps certificates and public keys whole, each once, for as long as a sighting or a pin refers to it.</summary>
internal sealed class MaterialTable(SqliteConnection connection) : IDisposable
{
    private readonly Statement find = new(connection, "SELECT id FROM key_material WHERE subject = $0 AND sha256 = $1", 2);

    private readonly Statement insert = new(
        connection,
        "INSERT INTO key_material (subject, sha256, der, first_seen) VALUES ($0, $1, $2, $3) ON CONFLICT (subject, sha256) DO NOTHING",
        4);

    private readonly Statement purge = new(
        connection,
        """
        DELETE FROM key_material WHERE subject = $0 AND sha256 = $1
          AND NOT EXISTS (SELECT 1 FROM sighting WHERE key_material_id = key_material.id)
          AND NOT EXISTS (SELECT 1 FROM pin WHERE key_material_id = key_material.id)
        """,
        2);

    /// <returns>The row's id.</returns>
    internal long Keep(ServerCertificate certificate, PinSubject subject, DateTimeOffset at)
    {
        var (name, sha256) = (subject.Name(), certificate.Digest(subject, DigestAlgorithm.Sha256).Hex);
        if (find.Scalar(name, sha256) is long known)
            return known;
        var der = subject == PinSubject.Certificate ? certificate.Der : certificate.PublicKey;
        insert.Execute(name, sha256, Convert.ToBase64String(der.AsSpan()), at.Seconds());
        return (long)find.Scalar(name, sha256)!;
    }

    /// <summary>Drops what nothing refers to any more.</summary>
    internal void Drop(ServerCertificate certificate)
    {
        purge.Execute(PinSubject.Certificate.Name(), certificate.Id.Hex);
        purge.Execute(PinSubject.PublicKey.Name(), certificate.KeyId.Hex);
    }

    public void Dispose()
    {
        find.Dispose();
        insert.Dispose();
        purge.Dispose();
    }
}
