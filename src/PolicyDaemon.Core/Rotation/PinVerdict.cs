using PolicyDaemon.Core.Deliveries;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The verdict: what would happen to mail with the pins as they are served.</summary>
internal static class PinVerdict
{
    public static DestinationVerdict Of(RotationView view)
    {
        if (!view.Pins.Served.Any())
            return DestinationVerdict.Unknown;
        var rules = new DeliveryRules(view.Input.Delivery with { IsPinned = view.Pins.Accepts }, view.Input.Postfix);
        return MailForecast.Of(rules, view.Addresses).Verdict();
    }
}
