using System.Text;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Answers;

/// <summary>Every configured destination with its finished answers, immutable, in memory.</summary>
/// <remarks>One delivery asks once per MX host; because a snapshot never changes and is swapped whole, its questions see one version.</remarks>
public sealed class PolicySnapshot
{
    private readonly Dictionary<string, StoredAnswer> answers;
    private readonly Dictionary<string, int> bareHosts;

    private PolicySnapshot(SnapshotIdentity identity, Dictionary<string, StoredAnswer> answers, Dictionary<string, int> bareHosts)
    {
        Identity = identity;
        this.answers = answers;
        this.bareHosts = bareHosts;
    }

    public SnapshotIdentity Identity { get; }

    /// <summary>How many keys are configured.</summary>
    public int Count => answers.Count;

    /// <summary>Every key with its answers, in no particular order.</summary>
    public IEnumerable<SnapshotEntry> Entries =>
        answers.Select(pair => new SnapshotEntry(pair.Key, pair.Value.Plain, pair.Value.TlsRpt));

    /// <summary>A snapshot of these entries. Keys are canonical and unique.</summary>
    public static PolicySnapshot Build(SnapshotIdentity identity, IEnumerable<SnapshotEntry> entries)
    {
        var snapshot = new PolicySnapshot(identity, new(StringComparer.Ordinal), new(StringComparer.Ordinal));
        foreach (var entry in entries)
            snapshot.Put(entry);
        return snapshot;
    }

    /// <summary>This snapshot with some keys changed or removed; costs what the change costs, not what the snapshot holds.</summary>
    public PolicySnapshot With(SnapshotIdentity identity, IEnumerable<SnapshotEntry> changed, IEnumerable<string> removed)
    {
        var next = new PolicySnapshot(identity, new(answers, StringComparer.Ordinal), new(bareHosts, StringComparer.Ordinal));
        foreach (var key in removed)
            next.Remove(key);
        foreach (var entry in changed)
            next.Put(entry);
        return next;
    }

    /// <summary>Finds a canonical key.</summary>
    /// <returns>False where the key is not configured.</returns>
    public bool TryFind(scoped ReadOnlySpan<byte> canonicalKey, MapName map, out LookupReply reply)
    {
        Span<char> characters = stackalloc char[LookupKey.MaxCanonicalLength];
        var count = Encoding.ASCII.GetChars(canonicalKey, characters);
        if (!answers.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(characters[..count], out var stored))
        {
            reply = default;
            return false;
        }

        var answer = map == MapName.TlsPolicyTlsRpt ? stored.TlsRpt : stored.Plain;
        reply = new LookupReply(answer.Kind, map == MapName.TlsPolicyTlsRpt ? stored.TlsRptText : stored.PlainText);
        return true;
    }

    /// <summary>True where the bare host of a key has an entry in another form, with or without brackets or port: a near miss.</summary>
    public bool HasOtherForm(scoped ReadOnlySpan<byte> canonicalKey)
    {
        Span<char> characters = stackalloc char[LookupKey.MaxCanonicalLength];
        var count = Encoding.ASCII.GetChars(LookupKey.BareHost(canonicalKey), characters);
        return bareHosts.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(characters[..count]);
    }

    private static string BareHost(string key) => Encoding.ASCII.GetString(LookupKey.BareHost(Encoding.ASCII.GetBytes(key)));

    private void Put(SnapshotEntry entry)
    {
        Remove(entry.Key);
        answers.Add(entry.Key, new StoredAnswer(entry.Answer, entry.TlsRptAnswer));
        var host = BareHost(entry.Key);
        bareHosts[host] = bareHosts.GetValueOrDefault(host) + 1;
    }

    private void Remove(string key)
    {
        if (!answers.Remove(key))
            return;
        var host = BareHost(key);
        if (--bareHosts[host] == 0)
            bareHosts.Remove(host);
    }

    private sealed class StoredAnswer(LookupAnswer plain, LookupAnswer tlsRpt)
    {
        public LookupAnswer Plain { get; } = plain;

        public LookupAnswer TlsRpt { get; } = tlsRpt;

        public byte[] PlainText { get; } = Encoding.ASCII.GetBytes(plain.Text);

        public byte[] TlsRptText { get; } = Encoding.ASCII.GetBytes(tlsRpt.Text);
    }
}
