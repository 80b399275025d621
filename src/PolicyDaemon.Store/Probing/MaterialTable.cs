using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>The table key_material: whole certificates and public keys, each once, for as long as a certificate run or a pin refers to it.</summary>
internal sealed class MaterialTable(DbConnection connection)
{
    /// <returns>The row's id.</returns>
    internal long Keep(ServerCertificate certificate, PinSubject subject, DateTimeOffset at)
    {
        var (name, sha256) = (subject.Name(), certificate.Digest(subject, DigestAlgorithm.Sha256).Hex);
        if (Find(name, sha256) is { } known)
            return known;
        var der = Convert.ToBase64String((subject == PinSubject.Certificate ? certificate.Der : certificate.PublicKey).AsSpan());
        connection.Execute(
            """
            INSERT INTO key_material (subject, sha256, der, first_seen) VALUES (@name, @sha256, @der, @firstSeen)
            ON CONFLICT (subject, sha256) DO NOTHING
            """,
            new { name, sha256, der, firstSeen = at.Seconds() });
        return Find(name, sha256)!.Value;
    }

    /// <summary>Removes certificates and keys to which nothing refers any more.</summary>
    internal void Drop(ServerCertificate certificate)
    {
        Drop(PinSubject.Certificate.Name(), certificate.Id.Hex);
        Drop(PinSubject.PublicKey.Name(), certificate.KeyId.Hex);
    }

    private long? Find(string name, string sha256) =>
        connection.ExecuteScalar<long?>("SELECT id FROM key_material WHERE subject = @name AND sha256 = @sha256", new { name, sha256 });

    private void Drop(string name, string sha256) => connection.Execute(
        """
        DELETE FROM key_material WHERE subject = @name AND sha256 = @sha256
          AND NOT EXISTS (SELECT 1 FROM certificate_run WHERE key_material_id = key_material.id)
          AND NOT EXISTS (SELECT 1 FROM pin WHERE key_material_id = key_material.id)
        """,
        new { name, sha256 });
}
