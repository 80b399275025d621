using System.Text.Json;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>The laboratory of the mail servers of partners. A server is started when a story first wants it, and stays.</summary>
public sealed class PeerLaboratory() : Laboratory(PostfixInstallation.OfTheHost)
{
    /// <summary>The name in EHLO of its checks.</summary>
    public const string EhloName = "prober.plain.test";

    private readonly Dictionary<(PeerProgram Program, PeerSetup Setup), Peer> _peers = [];
    private readonly Dictionary<Peer, CheckedPeer> _checks = [];
    private Policyd? _checker;

    /// <summary>A mail server, running.</summary>
    public async Task<Peer> PeerAsync(PeerProgram program, PeerSetup setup)
    {
        if (_peers.Count == 0) await NameAllAsync();
        var peer = _peers[(program, setup)];
        await peer.StartAsync();
        return peer;
    }

    /// <summary>Runs <c>policyctl check</c> on a mail server, once for all stories.</summary>
    /// <param name="peer">The server.</param>
    /// <param name="connections">How many connections that makes; the server's log is read until it has the end of each.</param>
    public async Task<CheckedPeer> CheckAsync(Peer peer, int connections)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (_checks.TryGetValue(peer, out var known)) return known;
        _checker ??= await ProberAsync("checker", Probing().With("helo_name", EhloName));
        var before = peer.Lines.Count;
        var report = await _checker.JsonAsync("check", peer.Key);
        IReadOnlyList<string> lines = [];
        await Until.TrueAsync($"{peer.Host} has seen {connections} clients leave", () =>
        {
            lines = [.. peer.Lines.Skip(before)];
            return Task.FromResult(peer.Leaves(lines).Ended >= connections);
        }, () => $"{peer.Tail}\n{report}");
        return _checks[peer] = new CheckedPeer(report, lines);
    }

    /// <summary>Gives every server an address and a name, at once: to publish them takes longer than to ask for them.</summary>
    private async Task NameAllAsync()
    {
        (PeerProgram Program, PeerSetup Setup)[] all =
            [.. Enum.GetValues<PeerProgram>().SelectMany(program => Enum.GetValues<PeerSetup>().Select(setup => (program, setup)))];
        foreach (var ((program, setup), address) in all.Zip(await Network.MoreAsync(all.Length)))
        {
            Peer peer = program switch
            {
                PeerProgram.Postfix or PeerProgram.Postscreen => new PostfixPeer(this, program, setup, address),
                PeerProgram.Exim => new EximPeer(this, setup, address),
                PeerProgram.Sendmail => new SendmailPeer(this, setup, address),
                PeerProgram.OpenSmtpd => new OpenSmtpdPeer(this, setup, address),
                _ => new ScriptPeer(this, program, setup, address),
            };
            Dns.Set(peer.Host, "A", $"{address}");
            _peers.Add((program, setup), peer);
        }

        await Dns.PublishAsync();
    }
}

/// <summary>What a check said of a server, and the server of the check.</summary>
/// <param name="Report">The JSON of <c>policyctl check</c>.</param>
/// <param name="Lines">The server's log of it.</param>
public sealed record CheckedPeer(JsonElement Report, IReadOnlyList<string> Lines);
