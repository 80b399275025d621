using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Administration.Explaining;

/// <summary>Whether a pin stands in the answer that Postfix gets.</summary>
public static class PinAnswer
{
    /// <param name="selection">Of the destination.</param>
    /// <returns>Why it does not; null where it does.</returns>
    public static string? WhyLeftOut(Destination destination, PinSelection selection, Pin pin)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(selection);
        if (!destination.Policy.Level.MatchesFingerprints())
            return $"level {destination.Policy.Level.Name()} takes no pins";
        return destination.Observe ? "the entry is only observed" : selection.LeftOut.FirstOrDefault(left => ReferenceEquals(left.Pin, pin)).Why;
    }
}
