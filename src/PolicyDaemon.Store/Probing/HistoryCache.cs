using System.Collections.Concurrent;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Store.Probing;

/// <summary>A cache of committed address histories and certificates. A cached history is used only while its row has the same version.</summary>
/// <remarks>Decoding certificates is what reading a history costs; many addresses of a provider present the same one.</remarks>
internal sealed class HistoryCache
{
    // Some kilobytes each. Beyond it everything begins anew, which costs time and nothing else.
    private const int MaxEntries = 10_000;

    private readonly ConcurrentDictionary<string, StoredHistory> histories = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ServerCertificate> certificates = new(StringComparer.Ordinal);

    internal StoredHistory? Find(string target) => histories.GetValueOrDefault(target);

    /// <summary>Adds a committed history. One of a transaction that may be rolled back must not come here: its version would be given out again.</summary>
    internal void Keep(StoredHistory history)
    {
        if (histories.Count >= MaxEntries)
            histories.Clear();
        histories[history.History.Target.Id] = history;
    }

    /// <exception cref="FormatException">The octets are no certificate.</exception>
    internal ServerCertificate Certificate(string base64)
    {
        if (certificates.TryGetValue(base64, out var known))
            return known;
        if (certificates.Count >= MaxEntries)
            certificates.Clear();
        var certificate = ServerCertificate.TryParse(Convert.FromBase64String(base64)) ?? throw new FormatException("a certificate that cannot be read");
        certificates[base64] = certificate;
        return certificate;
    }

    internal void Clear()
    {
        histories.Clear();
        certificates.Clear();
    }
}

/// <summary>A target as it is stored.</summary>
/// <param name="Id">The target's row; 0 where there is none.</param>
/// <param name="Version">Counts the writes to the row.</param>
/// <param name="History">The certificate runs of the target, and the outcome of its last probe.</param>
internal sealed record StoredHistory(long Id, long Version, AddressHistory History);
