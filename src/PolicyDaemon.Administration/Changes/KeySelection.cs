using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.Changes;

/// <summary>The keys that a command applies to: those that are named, and every configured one that a pattern matches.</summary>
public sealed class KeySelection
{
    private readonly List<(NextHop? Key, KeyPattern? Pattern)> chosen;

    private KeySelection(List<(NextHop? Key, KeyPattern? Pattern)> chosen) => this.chosen = chosen;

    /// <summary>A selection of keys without patterns.</summary>
    public static KeySelection Of(params IEnumerable<NextHop> keys) => new([.. keys.Select(key => ((NextHop?)key, (KeyPattern?)null))]);

    /// <summary>Reads the arguments of a command line.</summary>
    /// <param name="words">Keys and patterns.</param>
    /// <param name="selection">The selection.</param>
    /// <param name="reason">Why a word is no key.</param>
    public static bool TryParse(IEnumerable<string> words, out KeySelection selection, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(words);
        reason = null;
        var chosen = new List<(NextHop?, KeyPattern?)>();
        selection = new KeySelection(chosen);
        foreach (var word in words)
        {
            // An asterisk alone is the entry's key: who means every entry writes two, and who means one must not touch all.
            if (KeyPattern.IsPattern(word) && word.Trim() != NextHop.Default.Text)
                chosen.Add((null, new KeyPattern(word)));
            else if (NextHop.TryParseEntry(word, out var key, out reason))
                chosen.Add((key, null));
            else
                return false;
        }

        return true;
    }

    /// <summary>True where an argument is a pattern, so that the keys are known only after the store was read.</summary>
    public bool HasPattern => chosen.Exists(choice => choice.Pattern is not null);

    /// <summary>The keys, each once, in the order of the words.</summary>
    /// <exception cref="RefusedException">A pattern matches nothing.</exception>
    public IReadOnlyList<NextHop> In(PolicyStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return [.. chosen.SelectMany(choice => choice.Key is { } key ? [key] : Matching(store, choice.Pattern!)).Distinct()];
    }

    private static List<NextHop> Matching(PolicyStore store, KeyPattern pattern)
    {
        var keys = store.List(pattern.Canonical).Select(destination => destination.Key).Where(pattern.Matches).ToList();
        return keys.Count > 0 ? keys : throw new RefusedException(Refusal.NotConfigured, $"no configured key matches {pattern.Given}");
    }
}
