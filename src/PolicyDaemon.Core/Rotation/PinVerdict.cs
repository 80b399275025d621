using PolicyDaemon.Core.Deliveries;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The verdict: what would happen to mail with the pins as they are served.</summary>
internal static class PinVerdict
{
    public static DestinationVerdict Of(MailForecast? forecast) => forecast?.Verdict() ?? DestinationVerdict.Unknown;

    /// <returns>Null where no pin is served.</returns>
    public static MailForecast? Forecast(RotationView view) => view.Pins.Served.Any()
        ? MailForecast.Of(new DeliveryRules(view.Input.Delivery with { IsPinned = view.Pins.Accepts }, view.Input.Postfix), view.Addresses)
        : null;
}
