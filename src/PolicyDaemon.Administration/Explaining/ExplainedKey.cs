using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Administration.Explaining;

/// <summary>One key that Postfix may ask for.</summary>
/// <param name="Key">The key.</param>
/// <param name="Entry">Its entry; null where it is not configured.</param>
/// <param name="Answer">What it is answered on the map <c>tlspolicy</c>.</param>
/// <param name="OtherForms">Keys of the same bare host that are configured: a near miss where the key itself is not.</param>
/// <param name="Asked">False where an earlier key ends Postfix's walk.</param>
public sealed record ExplainedKey(
    NextHop Key, Destination? Entry, LookupAnswer Answer, IReadOnlyList<NextHop> OtherForms, bool Asked)
{
    public bool IsNearMiss => Entry is null && OtherForms.Count > 0;
}
