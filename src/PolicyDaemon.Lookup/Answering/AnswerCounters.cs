using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>Lookups since the start, by protocol, map, answer and, of a policy, its TLS security level.</summary>
/// <remarks>Each lookup adds one to one figure; every total is made where it is asked for, so that no lookup pays for it.</remarks>
internal sealed class AnswerCounters
{
    private const int Protocols = 2;

    // The two maps, and what names neither.
    private const int Maps = 3;
    private const int OtherMap = Maps - 1;

    // The levels that Postfix knows, then the answers that have none.
    private const int Levels = (int)TlsLevel.Secure + 1;
    private const int NotFound = Levels;
    private const int Temporary = Levels + 1;
    private const int Permanent = Levels + 2;
    private const int Answers = Levels + 3;

    private readonly long[] counts = new long[Protocols * Maps * Answers];

    /// <param name="map">Null for a map that is not served, and for a request that could not be read.</param>
    public void Add(MapProtocol protocol, MapName? map, LookupAnswerKind kind, scoped ReadOnlySpan<byte> text) => Interlocked.Increment(
        ref counts[((((int)protocol * Maps) + (map is { } known ? (int)known : OtherMap)) * Answers) + Answer(kind, text)]);

    public long Count(LookupAnswerKind kind)
    {
        var (first, last) = kind switch
        {
            LookupAnswerKind.Found => (0, Levels - 1),
            LookupAnswerKind.NotFound => (NotFound, NotFound),
            LookupAnswerKind.Permanent => (Permanent, Permanent),
            _ => (Temporary, Temporary),
        };
        var sum = 0L;
        for (var row = 0; row < counts.Length; row += Answers)
        {
            for (var answer = first; answer <= last; answer++)
                sum += Interlocked.Read(ref counts[row + answer]);
        }

        return sum;
    }

    /// <summary>The figures that are not zero.</summary>
    public IReadOnlyList<AnsweredLookups> Read()
    {
        var read = new List<AnsweredLookups>();
        for (var at = 0; at < counts.Length; at++)
        {
            var count = Interlocked.Read(ref counts[at]);
            if (count == 0)
                continue;
            var (row, answer) = (at / Answers, at % Answers);
            var kind = answer switch
            {
                < Levels => LookupAnswerKind.Found,
                NotFound => LookupAnswerKind.NotFound,
                Temporary => LookupAnswerKind.Temporary,
                _ => LookupAnswerKind.Permanent,
            };
            read.Add(new AnsweredLookups(
                (MapProtocol)(row / Maps), row % Maps is var map && map == OtherMap ? null : (MapName)map, kind, answer < Levels ? (TlsLevel)answer : null, count));
        }

        return read;
    }

    private static int Answer(LookupAnswerKind kind, scoped ReadOnlySpan<byte> text) => kind switch
    {
        LookupAnswerKind.Found => (int)Level(text),
        LookupAnswerKind.NotFound => NotFound,
        LookupAnswerKind.Permanent => Permanent,
        _ => Temporary,
    };

    /// <summary>The level that a policy text begins with. A reply does not carry it, since it is copied several times in each lookup.</summary>
    internal static TlsLevel Level(scoped ReadOnlySpan<byte> policy) => policy.IsEmpty ? TlsLevel.None : policy[0] switch
    {
        (byte)'m' => TlsLevel.May,
        (byte)'e' => TlsLevel.Encrypt,
        (byte)'f' => TlsLevel.Fingerprint,
        (byte)'d' => policy.StartsWith("dane-only"u8) ? TlsLevel.DaneOnly : TlsLevel.Dane,
        (byte)'v' => TlsLevel.Verify,
        (byte)'s' => TlsLevel.Secure,
        _ => TlsLevel.None,
    };
}

/// <summary>How many lookups had an answer.</summary>
/// <param name="Protocol">The protocol they were asked in.</param>
/// <param name="Map">The map; null for one that is not served, and for requests that could not be read.</param>
/// <param name="Kind">What was answered.</param>
/// <param name="Level">The TLS security level of the policies; null for the other answers.</param>
/// <param name="Count">Lookups since the start.</param>
public readonly record struct AnsweredLookups(MapProtocol Protocol, MapName? Map, LookupAnswerKind Kind, TlsLevel? Level, long Count);
