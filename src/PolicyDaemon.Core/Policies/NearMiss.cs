using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Policies;

/// <summary>A key that Postfix asks for and that has no entry, while one with the same bare host has: to Postfix they are different keys.</summary>
public static class NearMiss
{
    /// <summary>The command after which an entry answers for the key, too: one like the entry that comes nearest to it.</summary>
    /// <param name="asked">The key that Postfix asks for.</param>
    /// <param name="entries">The entries with the same bare host.</param>
    /// <param name="postfix">What main.cf says.</param>
    /// <returns>Null where that might be less than main.cf says, nothing at all, or meant for other servers: then a person decides what the key is worth.</returns>
    public static string? Command(NextHop asked, IEnumerable<Destination> entries, PostfixSettings postfix)
    {
        ArgumentNullException.ThrowIfNull(postfix);
        // With other brackets Postfix goes to other servers, whose keys and names may be others.
        var nearest = entries.Where(entry => entry is { Observe: false, Until: null } && entry.Key.IsBracketed == asked.IsBracketed
                && entry.Policy.Level.Protection() >= Protection.Encrypted && entry.Policy.Level.IsAtLeast(postfix.SecurityLevel))
            .OrderBy(entry => entry.Key.Port == asked.Port ? 0 : 1)
            .ThenBy(entry => entry.Key.Text, StringComparer.Ordinal)
            .FirstOrDefault();
        return nearest is null ? null : Like(asked, nearest.Key);
    }

    /// <summary>The command that adds an entry like another one.</summary>
    public static string Like(NextHop key, NextHop other) => $"policyctl domain add {Shell.Quote(key.Text)} --like {Shell.Quote(other.Text)}";
}
