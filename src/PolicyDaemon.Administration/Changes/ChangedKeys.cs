using System.Collections;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Administration.Changes;

/// <summary>The keys of a change in the order of its plan, each kept as some hundred octets and made again when it is asked for.</summary>
internal sealed class ChangedKeys : IReadOnlyCollection<ChangedKey>
{
    private readonly PackedRecords records = new();

    public int Count => records.Count;

    public IEnumerator<ChangedKey> GetEnumerator() => records.Addresses().Select(address => Read(records.Read(address))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(ChangedKey key)
    {
        records.Write(key.Key);
        records.Write(key.Action is { } action ? (int)action + 1 : 0);
        records.Write(key.IsOnlyObserved ? 1 : 0);
        records.Write(key.CannotBeEnforced ? 1 : 0);
        Write(key.Before);
        Write(key.After);
        records.Write(key.End?.Until.ToUnixTimeSeconds() ?? 0);
        Write(key.End?.Then);
        records.Write(key.Weakens.Count);
        foreach (var weakening in key.Weakens)
            records.Write(weakening);
        records.End();
    }

    private void Write(LookupAnswer? answer)
    {
        records.Write(answer?.Text);
        if (answer is { } told)
            records.Write((int)told.Kind);
    }

    private static ChangedKey Read(PackedReader packed)
    {
        var key = packed.Text()!;
        var action = packed.Number();
        var isOnlyObserved = packed.Number() != 0;
        var cannotBeEnforced = packed.Number() != 0;
        var before = ReadAnswer(ref packed);
        var after = ReadAnswer(ref packed);
        var end = packed.Number();
        var then = ReadAnswer(ref packed);
        var weakens = new string[packed.Number()];
        for (var i = 0; i < weakens.Length; i++)
            weakens[i] = packed.Text()!;
        return new ChangedKey(key, action == 0 ? null : (AuditAction)(action - 1), before, after, weakens)
        {
            IsOnlyObserved = isOnlyObserved,
            CannotBeEnforced = cannotBeEnforced,
            End = end == 0 ? null : new EntryEnd(DateTimeOffset.FromUnixTimeSeconds(end), then),
        };
    }

    private static LookupAnswer? ReadAnswer(ref PackedReader packed) =>
        packed.Text() is { } text ? new LookupAnswer((LookupAnswerKind)packed.Number(), text) : null;
}
