namespace PolicyDaemon.Core.Pins;

/// <summary>On what a pin was trusted; shown with it for ever.</summary>
public enum PinStrength
{
    /// <summary>A first sighting that a person chose to trust.</summary>
    Tofu,

    /// <summary>A person typed, imported or approved it.</summary>
    Person,

    /// <summary>A WebPKI chain valid for an authenticated MX name.</summary>
    WebPki,

    /// <summary>A usable, DNSSEC-secure TLSA record.</summary>
    Dane,
}
