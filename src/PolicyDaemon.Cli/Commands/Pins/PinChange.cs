using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>A change of one destination's pins that somebody asks for.</summary>
/// <param name="View">The store as it is.</param>
/// <param name="Before">The destination as it is.</param>
/// <param name="Fingerprints">Those named on the command line, each once.</param>
/// <param name="HasReason">Somebody said why.</param>
internal sealed record PinChange(
    CommandContext Context, StoreView View, Destination Before, IReadOnlyList<Fingerprint> Fingerprints, bool HasReason)
{
    public NextHop Key => Before.Key;

    /// <summary>The key as an argument of a command that is proposed.</summary>
    public string QuotedKey => Shell.Quote(Key.Text);

    public TimeProvider Time => Context.Host.Time;

    /// <summary>What the prober knows of it; null before its first look.</summary>
    public ProbeState? ReadProbeState() => View.Store.ReadProbeState(Key);
}
